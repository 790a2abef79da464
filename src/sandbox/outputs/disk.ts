import { existsSync } from "node:fs";
import { chmod, mkdir, open, readdir, readFile, realpath, rm, rmdir, statfs } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { AbortOptions } from "../../async/abort.ts";
import { tool } from "./command.ts";
import { emptyFolder } from "./empty.ts";
import type { OutputSpace } from "./space.ts";

/** Bytes of cap for which one file is allowed; and the least and most of them. */
const BYTES_PER_FILE = 16 * 1024;
const LEAST_FILES = 1024;
const MOST_FILES = 1_000_000;
/** Fewer free blocks than this are no room: a writer gives up before the very last one. */
const FULL_BLOCKS = 32;
/** What ext4 needs for itself: tables of 256 bytes an inode, bitmaps, group descriptors, directories. */
const OVERHEAD_BYTES = 4 * 2 ** 20;

/** As outputs lie at a validator's: a library among them may be loaded, and no file has a mode to be run. */
const SEALED = "ro,exec,nosuid,nodev,noatime";

/** Where an ext4 superblock has its magic number, and behind it its state (ext4_super_block, s_magic). */
const SUPERBLOCK_MAGIC = 1024 + 0x38;
const EXT4_MAGIC = 0xef53;
const UNMOUNTED = 1;

interface Disk {
  readonly home: string;
  readonly image: string;
  readonly dir: string;
}

/**
 * The filesystem behind a task's /out: an ext4 image of the cap's size in `home`, mounted at `dir`.
 * A full image is the task's trouble and not the host's, its inodes are counted too, and what it holds
 * outlives the container and this process.
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

/** How many files a cap of so many bytes allows. */
export function fileCap(capBytes: number): number {
  return Math.min(MOST_FILES, Math.max(LEAST_FILES, Math.ceil(capBytes / BYTES_PER_FILE)));
}

async function createDisk(disk: Disk, capBytes: number, options?: AbortOptions): Promise<void> {
  const files = fileCap(capBytes);
  const bytes = Math.ceil((capBytes * 1.02 + files * 256 + OVERHEAD_BYTES) / 4096) * 4096;
  // All of it is taken from the host at once: a host that is full must not surprise a task half-way.
  // No journal: the disk is thrown away. No reserve for root. Nothing zeroed ahead.
  const format =
    "umask 077; fallocate -l $3 $1; " +
    "mkfs.ext4 -q -F -m 0 -b 4096 -N $4 -O ^has_journal,^resize_inode,uninit_bg -E lazy_itable_init=1,nodiscard $1; ";
  await script(disk, format + MOUNT, [String(bytes), String(files)], options);
  await rmdir(join(disk.dir, "lost+found"));
  // Everybody's, for the task's user may be mapped to another; `home` keeps the host's users out.
  await chmod(disk.dir, 0o777);
}

/** Brings back a disk that a reboot has unmounted; false when there is none, or none that is whole. */
async function restoreDisk(disk: Disk, options?: AbortOptions): Promise<boolean> {
  await awaitTools(disk, options);
  if (await isMounted(disk.dir)) return true;
  if (!(await wasUnmounted(disk.image))) return false;
  await script(disk, MOUNT, [], options);
  return true;
}

/** Whether all that was written to an ext4 image is in it. Without a journal nothing else says so. */
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

/** Unmounts and deletes, whatever of it is there; its container is gone. */
async function destroyDisk(disk: Disk): Promise<void> {
  await awaitTools(disk);
  while (await isMounted(disk.dir)) {
    await empty(disk);
    // A process that reads in there, such as a backup, must not make the run wait: the lazy unmount ends with it.
    await script(disk, "umount $2 || umount --lazy $2");
  }
  await detachStray(disk);
  await rm(disk.dir, { recursive: true, force: true });
  await rm(disk.image, { force: true });
}

/** Spares the host from writing out what nobody will read. */
async function empty(disk: Disk): Promise<void> {
  await emptyFolder(disk.dir).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== "EROFS") return; // it goes with the image
    await remount(disk, "rw");
    await emptyFolder(disk.dir).catch(() => undefined);
  });
}

/** Of a mount, and not of its filesystem, which would be written out first. */
async function remount(disk: Disk, flags: string, options?: AbortOptions): Promise<void> {
  await script(disk, "mount -o remount,bind,$3 $2", [flags], options);
}

/**
 * Mounts the image $1 at $2. Direct: what the task writes is cached by its own filesystem and not a second
 * time by the host's. Detached at once, the device goes when it is unmounted.
 */
const MOUNT =
  "failed=0; device=$(losetup --find --show --direct-io=on $1); " +
  "mount -t ext4 -o nosuid,nodev,noexec,noatime $device $2 || failed=$?; " +
  "losetup --detach $device; exit $failed";

/**
 * Runs a shell script with the image as $1, the folder as $2 and `args` from $3 on. One process for a row of
 * tools: starting each from here takes longer than most of them run.
 *
 * The script outlives this process when it is killed, and its current tool outlives an abort. Both would go on
 * to mount a disk that is being removed. Therefore every script holds a lock on `home`, which its tools inherit,
 * so that `awaitTools` can wait for them; and one that gets the lock after its parent has died does nothing.
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

/** Waits for scripts on this disk that a killed process or an aborted call has left at work. */
async function awaitTools(disk: Disk, options?: AbortOptions): Promise<void> {
  if (existsSync(disk.dir)) await script(disk, ":", [], options); // there before the first script, and after the last
}

/** A crash between the steps of mounting leaves a device that nobody would detach. */
async function detachStray(disk: Disk): Promise<void> {
  const image = await asKernelNames(disk.image);
  for (const name of await readdir("/sys/block").catch(() => [])) {
    if (!name.startsWith("loop")) continue;
    const backing = await readFile(`/sys/block/${name}/loop/backing_file`, "utf8").catch(() => "");
    if (backing.trim() === image) await script(disk, "losetup --detach $3", [`/dev/${name}`]);
  }
}

/** Whether a filesystem is mounted at `dir` itself. */
async function isMounted(dir: string): Promise<boolean> {
  const name = await asKernelNames(dir);
  const escaped = name.replace(/[ \t\n\\]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}`);
  const table = await readFile("/proc/self/mountinfo", "utf8");
  return table.split("\n").some((line) => line.split(" ")[4] === escaped);
}

/** With no link on the way: the folder of all runs may be reached by one. */
async function asKernelNames(path: string): Promise<string> {
  return join(await realpath(dirname(path)).catch(() => dirname(path)), basename(path));
}
