import { plainPath, quoted } from "./syntax.ts";

/** The commands that leave a daemon running. */
export type ServiceCommand = "provide" | "validate" | "serve";

export interface ServiceSettings {
  readonly command: ServiceCommand;
  /** `system`: run by root's service manager, as root; `user`: by that of one user, as that user. */
  readonly manager: "system" | "user";
  /** The program and its first arguments, the program by its absolute path. */
  readonly program: readonly [string, ...string[]];
  /** What follows the name of any command: `--config FILE`. */
  readonly globals: readonly string[];
  /** What follows the command's name. */
  readonly args: readonly string[];
  /** Absolute. */
  readonly home: string;
  /** Folders beside the home that it writes to, absolute. */
  readonly writes: readonly string[];
  /** Absolute path of the file with the wallet's password. */
  readonly passwordFile: string;
  /** Variables beside ICHAIN_HOME and the password. Everybody on the machine can read them. */
  readonly environment: Readonly<Record<string, string>>;
  /** It mounts the disks of tasks' outputs, which this machine's container engine must see (ADR 9). */
  readonly mountsDisks: boolean;
  /** Its container engine is a service of this machine. */
  readonly needsDocker: boolean;
}

/** What no daemon of ichain does as root, whatever it is root for. */
const neverCapable = [
  [
    "CAP_AUDIT_CONTROL",
    "CAP_BPF",
    "CAP_LINUX_IMMUTABLE",
    "CAP_MAC_ADMIN",
    "CAP_MAC_OVERRIDE",
    "CAP_NET_ADMIN",
  ],
  ["CAP_NET_RAW", "CAP_PERFMON", "CAP_SYS_BOOT", "CAP_SYS_MODULE", "CAP_SYS_NICE", "CAP_SYS_PACCT"],
  ["CAP_SYS_PTRACE", "CAP_SYS_RAWIO", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_SYSLOG", "CAP_WAKE_ALARM"],
].flat();

export function unitName(command: ServiceCommand): string {
  return `ichain-${command}.service`;
}

/**
 * A unit of systemd 250 or newer that runs a daemon where nobody watches (systemd.service(5), systemd.exec(5)).
 * @throws USAGE for a path that no unit can hold
 */
export function serviceUnit(settings: ServiceSettings): string {
  const { command, manager, home } = settings;
  const system = manager === "system";
  const after = ["network-online.target", ...(settings.needsDocker ? ["docker.service"] : [])].join(" ");
  const sections = [
    [
      "[Unit]",
      `Description=ichain ${command}, ${plainPath(home)}`,
      ...(system ? [`Wants=${after}`, `After=${after}`, `RequiresMountsFor=${quoted(home)}`] : []),
      "# It tries again for as long as it takes: an outage of the chain's node may last.",
      "StartLimitIntervalSec=0",
    ],
    [...service(settings), ...hardening(settings)],
    ["[Install]", `WantedBy=${system ? "multi-user.target" : "default.target"}`],
  ];
  return `${sections.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function service(settings: ServiceSettings): string[] {
  const { command, program, globals, args, home, passwordFile, environment } = settings;
  // The colon: a dollar sign in a path is no variable.
  const line = (words: readonly string[]) =>
    [`:${words[0]}`, ...words.slice(1)].map((word) => quoted(word)).join(" ");
  const variables = Object.entries({ ICHAIN_HOME: home, ...environment });
  return [
    "[Service]",
    "Type=exec",
    `ExecStart=${line([...program, ...globals, command, ...args])}`,
    ...(command === "serve" ? [] : [`ExecReload=${line([...program, ...globals, "reload"])}`]),
    ...variables.map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}`),
    `LoadCredential=password:${plainPath(passwordFile)}`,
    "Environment=ICHAIN_PASSWORD_FILE=%d/password",
    "",
    "# 2 and 3: the command line, the configuration or the wallet is wrong, which no restart mends.",
    "Restart=on-failure",
    "RestartPreventExitStatus=2 3",
    "RestartSec=15s",
    "# From systemd 254 on the pauses grow; an older one leaves these two out, and says so.",
    "RestartSteps=8",
    "RestartMaxDelaySec=15min",
    "# SIGTERM stops it; its jobs go on when it is started again. `ichain drain --wait` lets them end first: then it ends",
    "# with 0, and stays ended until it is started.",
    "SuccessExitStatus=130",
    "KillMode=mixed",
    "TimeoutStopSec=2min",
    "LimitNOFILE=65536",
    "",
  ];
}

function hardening({ manager, home, writes, mountsDisks }: ServiceSettings): string[] {
  const system = manager === "system";
  const always = [
    "NoNewPrivileges=yes",
    "LockPersonality=yes",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
    "SystemCallArchitectures=native",
    `SystemCallFilter=@system-service${mountsDisks ? " @mount" : ""}`,
    "SystemCallErrorNumber=EPERM",
  ];
  if (mountsDisks) {
    return [
      "# The disks that tasks write to are mounted by the daemon and seen by the container engine. ProtectSystem=,",
      "# ReadWritePaths=, PrivateTmp= and ProtectKernel*= would give it mounts of its own, and tasks the host's disk without",
      "# a bound: they must stay away. What those keep a process from is left out of its capabilities as far as it can be.",
      ...always,
      ...(system ? [`CapabilityBoundingSet=~${neverCapable.join(" ")}`] : []),
    ];
  }
  return [
    ...always,
    // A user's manager may set up mounts in a user namespace alone.
    system ? "CapabilityBoundingSet=CAP_DAC_OVERRIDE CAP_FOWNER" : "PrivateUsers=yes",
    "ProtectSystem=strict",
    // systemd.exec(5): the strict protection leaves /home, /root and /run/user as they are.
    "ProtectHome=read-only",
    `ReadWritePaths=${[home, ...writes].map(quoted).join(" ")}`,
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "ProtectControlGroups=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    ...(system ? ["ProtectClock=yes", "ProtectHostname=yes", "ProtectProc=invisible"] : []),
  ];
}
