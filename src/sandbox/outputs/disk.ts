import { existsSync } from "node:fs";
import { chmod, mkdir, open, readdir, readFile, realpath, rm, rmdir, statfs } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { AbortOptions } from "../../async/abort.ts";
import { tool } from "./command.ts";
import { emptyFolder } from "./empty.ts";
import type { OutputSpace } from "./space.ts";

/** One file is allowed for so many bytes of the cap, within these bounds. */
const BYTES_PER_FILE = 16 * 1024;
const MIN_FILES = 1024;
const MAX_FILES = 1_000_000;
/** A disk with fewer free blocks counts as full: a write of more than one block fails before the last block is used. */
const FULL_BLOCKS = 32;
/** ext4's own data beside the inode tables (256 bytes an inode): bitmaps, group descriptors, directories. */
const OVERHEAD_BYTES = 4 * 2 ** 20;

/**
 * Mount options of finished outputs. Executable mappings are allowed, because an evaluation may load a library that
 * the task wrote; no file has an executable mode.
 */
const SEALED = "ro,exec,nosuid,nodev,noatime";

/** Offset in the image of `s_magic`, which `s_state` follows (struct ext4_super_block). */
const SUPERBLOCK_MAGIC = 1024 + 0x38;
const EXT4_MAGIC = 0xef53;
const UNMOUNTED = 1;

interface Disk {
  readonly home: string;
  readonly image: string;
  readonly dir: string;
}

/**
 * The filesystem behind a task's /out: an ext4 image of the cap's size in `home`, mounted at `home`/out. A task that
 * fills it takes no space from the host, inodes are limited too, and the content outlives the container and this
 * process.
 */
export function outputDisk(home: string): OutputSpace {
  const disk: Disk = { home, image: join(home, "out.img"), dir: join(home, "out") };
  return {
    dir: disk.dir,
    async clear() {
      await destroyDisk(disk);
      await mkdir(disk.dir, { recursive: true, mode: 0o700 });
    },
    create: (capBytes, options) => createDisk(disk, capBytes, options),
    restore: (options) => restoreDisk(disk, options),
    async isFull() {
      const { bavail, ffree } = await statfs(disk.dir);
      return bavail < FULL_BLOCKS || ffree === 0;
    },
    seal: (options) => remount(disk, SEALED, options),
    destroy: () => destroyDisk(disk),
  };
}

/** Number of files that a cap of `capBytes` allows. */
export function fileCap(capBytes: number): number {
  return Math.min(MAX_FILES, Math.max(MIN_FILES, Math.ceil(capBytes / BYTES_PER_FILE)));
}

async function createDisk(disk: Disk, capBytes: number, options?: AbortOptions): Promise<void> {
  const files = fileCap(capBytes);
  const bytes = Math.ceil((capBytes * 1.02 + files * 256 + OVERHEAD_BYTES) / 4096) * 4096;
  // Allocate all blocks now, so that a task does not fail half-way on a full host. No journal, because the disk is
  // temporary; no blocks reserved for root; nothing zeroed in advance.
  const format =
    "umask 077; fallocate -l $3 $1; " +
    "mkfs.ext4 -q -F -m 0 -b 4096 -N $4 -O ^has_journal,^resize_inode,uninit_bg -E lazy_itable_init=1,nodiscard $1; ";
  await script(disk, format + MOUNT, [String(bytes), String(files)], options);
  await rmdir(join(disk.dir, "lost+found"));
  // For every user, because a user namespace may map the task's user to another one. `home` is private.
  await chmod(disk.dir, 0o777);
}

/** Mounts a disk that a reboot has unmounted; false when there is none, or when it was not unmounted cleanly. */
async function restoreDisk(disk: Disk, options?: AbortOptions): Promise<boolean> {
  await awaitTools(disk, options);
  if (await isMounted(disk.dir)) return true;
  if (!(await wasUnmounted(disk.image))) return false;
  await script(disk, MOUNT, [], options);
  return true;
}

/** Whether an ext4 image was unmounted cleanly. Without a journal only that shows that all writes are in it. */
async function wasUnmounted(image: string): Promise<boolean> {
  const file = await open(image).catch(() => undefined);
  if (file === undefined) return false;
  try {
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, SUPERBLOCK_MAGIC);
    return buffer.readUInt16LE(0) === EXT4_MAGIC && buffer.readUInt16LE(2) === UNMOUNTED;
  } finally {
    await file.close();
  }
}

/** Unmounts and deletes all of the disk that exists. Its container must have been removed. */
async function destroyDisk(disk: Disk): Promise<void> {
  await awaitTools(disk);
  while (await isMounted(disk.dir)) {
    await empty(disk);
    // A process with a file open there, such as a backup, keeps the mount busy. Detach it lazily instead of waiting.
    await script(disk, "umount $2 || umount --lazy $2");
  }
  await detachStray(disk);
  await rm(disk.dir, { recursive: true, force: true });
  await rm(disk.image, { force: true });
}

/** Deletes the files first, so that the unmount does not write their pages to the host's disk. */
async function empty(disk: Disk): Promise<void> {
  await emptyFolder(disk.dir).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== "EROFS") return; // what is left is deleted with the image
    await remount(disk, "rw");
    await emptyFolder(disk.dir).catch(() => undefined);
  });
}

/** Changes the options of the mount (`bind`). Those of the filesystem would make the kernel write all pages first. */
async function remount(disk: Disk, flags: string, options?: AbortOptions): Promise<void> {
  await script(disk, "mount -o remount,bind,$3 $2", [flags], options);
}

/**
 * Mounts the image $1 at $2. With direct I/O, because the filesystem in the image has cached the pages already. The
 * device is detached at once, so that the kernel frees it on unmount.
 */
const MOUNT =
  "failed=0; device=$(losetup --find --show --direct-io=on $1); " +
  "mount -t ext4 -o nosuid,nodev,noexec,noatime $device $2 || failed=$?; " +
  "losetup --detach $device; exit $failed";

/**
 * Runs a shell script with the image as $1, the mount point as $2 and `args` from $3 on. One script for several tools,
 * because starting each from Node takes longer than most of them run.
 *
 * A script outlives this process when that is killed, and its current tool outlives an abort. Either could mount a
 * disk while it is removed. Therefore every script holds a lock on `home`, which its tools inherit and `awaitTools`
 * waits for; a script whose parent has died before it got the lock does nothing.
 */
async function script(
  disk: Disk,
  text: string,
  args: readonly string[] = [],
  options?: AbortOptions,
): Promise<void> {
  const lock =
    'exec 9< "$1"; flock 9; read -r _ _ _ parent _ < /proc/$$/stat; [ "$parent" = "$2" ]; shift 2; ';
  const own = [disk.home, String(process.pid), disk.image, disk.dir];
  await tool("sh", ["-euf", "-c", `${lock}IFS=; ${text}`, "sh", ...own, ...args], options);
}

/** Waits for scripts on this disk that a killed process or an aborted call has left running. */
async function awaitTools(disk: Disk, options?: AbortOptions): Promise<void> {
  if (existsSync(disk.dir)) await script(disk, ":", [], options); // no script runs without the folder
}

/**
 * Detaches a loop device that a crash between `losetup` and `mount` has left. One that was mounted has `autoclear`: the
 * kernel frees it, some time after the unmount, and its number may then belong to another disk.
 */
async function detachStray(disk: Disk): Promise<void> {
  const image = await withoutLinks(disk.image);
  for (const name of await readdir("/sys/block").catch(() => [])) {
    if (!name.startsWith("loop")) continue;
    const fact = (file: string) => readFile(`/sys/block/${name}/loop/${file}`, "utf8").catch(() => "");
    const [backing, autoclear] = await Promise.all([fact("backing_file"), fact("autoclear")]);
    if (backing.trim() === image && autoclear.trim() === "0")
      await script(disk, "losetup --detach $3", [`/dev/${name}`]);
  }
}

/** Whether a filesystem is mounted at `dir` itself. */
async function isMounted(dir: string): Promise<boolean> {
  const name = await withoutLinks(dir);
  const escaped = name.replace(/[ \t\n\\]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}`);
  const table = await readFile("/proc/self/mountinfo", "utf8");
  return table.split("\n").some((line) => line.split(" ")[4] === escaped);
}

/** The path without links, as the kernel reports it: the state folder may be reached through one. */
async function withoutLinks(path: string): Promise<string> {
  return join(await realpath(dirname(path)).catch(() => dirname(path)), basename(path));
}
