import type { CatalogueEntry } from "../entry.ts";

/** The home folder, its configuration and its keys; the command line and the devnet. */
export const homeErrors = {
  BACKUP_EXISTS: { class: "usage", hint: "Name a file that is not there yet." },
  BACKUP_FAILED: {
    class: "unavailable",
    hint: "Check that there is room for the file, and that you may write to its folder.",
  },
  BACKUP_NOT_MOVED: {
    class: "usage",
    hint: "Write the backup with `ichain backup --move` where the home still is. If it is lost for good, and acts nowhere, restore with --lost.",
  },
  BACKUP_UNREADABLE: {
    class: "untrusted",
    hint: "Check the file's name, and give the password that the wallet had when it was backed up.",
  },
  CHILD_FAILED: { class: "unavailable", hint: "See its output in the log beside its home." },
  CONFIG_INVALID: {
    class: "config",
    hint: "Correct the field that is named, in config.yaml or in the environment.",
  },
  CONFIG_MISSING: { class: "config", hint: 'Check the path given with --config, or run "ichain init".' },
  CONFIG_UNWRITABLE: {
    class: "config",
    hint: "Check that you may write to the folder and that the disk is not full.",
  },
  CONTROL_DENIED: { class: "config", hint: "Run the command as the user whose daemon it is." },
  CONTROL_FAILED: {
    class: "unavailable",
    hint: "Check that the home folder is on a local disk, and that you may write to its folder control/.",
  },
  CONTROL_INVALID: {
    class: "untrusted",
    hint: "Stop the daemon with Ctrl-C or SIGTERM, and start it with this version of ichain.",
  },
  CONTROL_LOST: {
    class: "unavailable",
    retryable: true,
    hint: "See the end of its log, and start it again.",
  },
  CONTROL_REFUSED: { class: "refused", hint: "See what the daemon says of itself: `ichain status`." },
  CONTROL_VERSION: {
    class: "unavailable",
    hint: "Stop the daemon with Ctrl-C or SIGTERM, and start it with this version of ichain.",
  },
  DAEMON_NOT_RUNNING: {
    class: "unavailable",
    hint: 'Start one with "ichain provide", "ichain validate" or "ichain serve", or set ICHAIN_HOME to the home of the one that is meant.',
  },
  DAEMON_UNHEALTHY: {
    class: "unavailable",
    retryable: true,
    hint: '"ichain status" says what was found, and "ichain doctor" how to mend it.',
  },
  DEVNET_EVM_FAILED: {
    class: "unavailable",
    hint: "Check that the npm package @foundry-rs/anvil is installed for this system.",
  },
  DEVNET_ONLY: {
    class: "usage",
    hint: "Use it in a home that is set up for a devnet: `ichain devnet` says how.",
  },
  DISK_FAILED: {
    class: "unavailable",
    retryable: true,
    hint: "Look at the disk's health, and free some space.",
  },
  DISK_FULL: {
    class: "unavailable",
    retryable: true,
    hint: "Free some space, or look at the disk's health.",
  },
  DOCTOR_FAILED: { class: "unavailable", hint: "Follow the last column, and run it again." },
  FILE_UNREADABLE: { class: "usage", hint: "Name a keystore file, or a file that holds a private key." },
  HOME_BUSY: {
    class: "unavailable",
    retryable: true,
    hint: 'Stop it first; one "ichain provide --validate" does both kinds of work. A second daemon needs an ICHAIN_HOME and an account of its own.',
  },
  RESTORE_FAILED: {
    class: "unavailable",
    hint: "Check that there is room for the home, and that you may write to the folder that it is in.",
  },
  SERVICE_ENVIRONMENT: {
    class: "usage",
    hint: "Everybody on the machine can read a unit: put the address into the network file, and unset the variable.",
  },
  SERVICE_EXISTS: {
    class: "usage",
    hint: "Look at it beside what --print shows; --force replaces it.",
  },
  SERVICE_NO_PASSWORD: {
    class: "usage",
    hint: "Write the password into a file that only you may read, and name it in ICHAIN_PASSWORD_FILE.",
  },
  SERVICE_UNWRITABLE: {
    class: "config",
    hint: "Check that you may write to its folder; --print shows the unit for you to place.",
  },
  SERVE_NOT_RUNNING: {
    class: "usage",
    hint: 'Start "ichain serve" first and leave it running, or submit without --detach.',
  },
  HOME_MOVED: { class: "config", hint: "Act in the home that its backup was restored to." },
  HOME_NOT_EMPTY: { class: "usage", hint: "Set ICHAIN_HOME to a folder that is empty or not there yet." },
  HOME_STALE: {
    class: "config",
    hint: 'Restore a later backup; without one, see "ichain journal repair".',
  },
  HOME_UNWRITABLE: {
    class: "config",
    hint: "Check who owns the home folder and its files, and that its disk is mounted for writing.",
  },
  INDEX_DAMAGED: {
    class: "unavailable",
    retryable: true,
    hint: "Run the command again: the index is set aside and read from the chain again.",
  },
  INTERNAL: {
    class: "internal",
    hint: "Run it again with ICHAIN_DEBUG=1 for causes and stack, and report it with that output.",
  },
  INTERRUPTED: { class: "interrupted", hint: 'Nothing is lost: "ichain resume" continues what was begun.' },
  JOURNAL_DAMAGED: {
    class: "config",
    hint: 'Bring the file back from a backup, then run "ichain journal repair"; without a backup that command sets it aside and rebuilds what the file, the chain and the disk still tell.',
  },
  JOURNAL_LOST: {
    class: "config",
    hint: 'Bring the file back from a backup, or use the home that the jobs were begun in; "ichain journal repair" rebuilds what chain and disk still tell.',
  },
  KEYRING_DAMAGED: {
    class: "config",
    hint: "Bring the file back from a backup; without one, move it away and run `ichain init --new-keyring`: what was sealed to the old keys stays sealed.",
  },
  KEYRING_EXISTS: { class: "usage", hint: "Move it away first if you are sure that it is of no use." },
  KEYRING_MISSING: {
    class: "config",
    hint: 'Bring the file back from a backup. Without one, "ichain init --new-keyring" makes new keys: what was sealed to the old ones stays sealed, and open jobs that need it are lost.',
  },
  KEYRING_OF_ANOTHER: {
    class: "config",
    hint: "Bring that wallet back, or move the file `keyring` out of the home folder: a new one is made.",
  },
  KEYRING_WRONG_PASSPHRASE: { class: "config", hint: "Type the password that this account was made with." },
  LOG_UNWRITABLE: {
    class: "config",
    hint: "Check log.file in config.yaml, and that you may write to its folder.",
  },
  METRICS_FAILED: {
    class: "unavailable",
    hint: "Choose another port in config.yaml (metrics), or end what listens there, and start the daemon again.",
  },
  NETWORK_EXISTS: { class: "usage", hint: "Give --replace to put this one in its place." },
  NETWORK_UNREACHABLE: {
    class: "unavailable",
    retryable: true,
    hint: "Check the address, or save the file yourself and name it.",
  },
  NETWORK_UNKNOWN: {
    class: "config",
    hint: "Name a network file, or one of the names in the home folder's networks/.",
  },
  NO_NETWORK: {
    class: "config",
    hint: 'Run "ichain init --network FILE", or try a market of your own: "ichain devnet".',
  },
  NO_TTY: {
    class: "usage",
    hint: "Run it in a terminal, or give the answer by a flag or an environment variable (see --help).",
  },
  NO_WALLET: {
    class: "config",
    hint: 'Make one with "ichain wallet create", or bring yours with "ichain wallet import".',
  },
  PASSWORD_FILE_UNREADABLE: {
    class: "config",
    hint: "Check ICHAIN_PASSWORD_FILE, and that you may read the file.",
  },
  PASSWORD_UNSUITABLE: { class: "config", hint: "Use eight characters or more, at most a thousand." },
  POLICY_INVALID: { class: "config", hint: "Correct the line and field that are named in the policy file." },
  POLICY_UNREADABLE: {
    class: "usage",
    hint: "Name a file that exists, or leave --policy out for the defaults.",
  },
  STATE_BUSY: {
    class: "unavailable",
    retryable: true,
    hint: "Wait until it ends, or find it: a backup, or another ichain that hangs.",
  },
  STATE_TOO_NEW: { class: "config", hint: "Use the newer ichain; it was left as it is." },
  SUPPORT_UNWRITABLE: {
    class: "config",
    hint: "Check that you may write to the folder and that the disk is not full.",
  },
  TARGET_EXISTS: {
    class: "usage",
    hint: "Name a folder that does not exist yet with -o, or remove this one.",
  },
  TIER_TOO_WEAK: {
    class: "config",
    hint: '"ichain doctor" shows how to reach a stronger tier; or lower leastTier in the policy.',
  },
  TORNET_FAILED: { class: "unavailable", retryable: true, hint: "The machine may be too busy: try again." },
  TOR_GENCERT_FAILED: {
    class: "unavailable",
    hint: "Install tor with `apt-get install tor`: tor-gencert comes with it.",
  },
  UPDATE_UNKNOWN: {
    class: "unavailable",
    retryable: true,
    hint: "Check that npm is installed and reaches its registry (`npm ping`); in a checkout, `git fetch --tags` shows the releases.",
  },
  USAGE: { class: "usage", hint: "Run the command with --help for its options and examples." },
  WALLET_EXISTS: {
    class: "usage",
    hint: "Use another ICHAIN_HOME for another account, or move this keystore away first.",
  },
  WALLET_KEY_INVALID: {
    class: "usage",
    hint: "Give 32 bytes in hexadecimal, 64 digits, with or without 0x.",
  },
  WALLET_MALFORMED: {
    class: "config",
    hint: "Point at a keystore V3 JSON file, or make one with `ichain wallet create` or `ichain wallet import`.",
  },
  WALLET_MISSING: {
    class: "config",
    hint: "Make one with `ichain wallet create`, or bring a key with `ichain wallet import`.",
  },
  WALLET_UNREADABLE: { class: "config", hint: "Check that it is a file and that you may read it." },
  WALLET_UNWRITABLE: {
    class: "config",
    hint: "Check that you may write to the folder and that the disk is not full.",
  },
  WALLET_WRONG_PASSWORD: {
    class: "config",
    hint: "Try again; nobody can recover a lost password, only the key or another copy of it helps then.",
  },
  WEB_FAILED: {
    class: "unavailable",
    hint: "Choose another port (--port), or end what listens there.",
  },
  WEB_LOCKED: { class: "config", hint: "Unlock the page with the wallet's password; once is enough." },
  WEB_REFUSED: { class: "refused", hint: "Open the page by the link that `ichain web` prints." },
} as const satisfies Readonly<Record<string, CatalogueEntry>>;
