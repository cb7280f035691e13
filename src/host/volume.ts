/** The volume of a container: whether what a run leaves in a folder is there for the next container. */
import { readFileSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { type FileSystemKind, fileSystemOf } from '../file-system.js';
import { codeOf } from '../system-error.js';

/** What goes with the container, and is no lasting volume. */
type Transient = 'layer' | 'memory' | 'anonymous' | 'emptyDir';

/** A line of the table of mounts: where something is mounted, and which folder of its file system that is. */
interface Mount {
  readonly root: string;
  readonly point: string;
}

const goesWith: Readonly<Record<Transient, string>> = {
  layer: "is on the container's own layer and goes with the container",
  memory: 'is in memory and goes with the container',
  anonymous: 'is on a volume without a name, which the next container does not get',
  emptyDir: 'is in an emptyDir and goes with the pod',
};

/** Volumes that a runtime makes for one container: of `VOLUME` in an image, and Kubernetes' emptyDir. */
const madeForOne: readonly (readonly [RegExp, Transient])[] = [
  [/\/volumes\/[0-9a-f]{64}\/_data(\/|$)/, 'anonymous'],
  [/\/containers\/[0-9a-f]{64}\/volumes\//, 'anonymous'],
  [/\/volumes\/kubernetes\.io~empty-dir\//, 'emptyDir'],
];

/** Returns why a folder of a container goes with it; undefined where it is on a volume that lasts. */
export function transienceOf(
  folder: string,
  kindOf: (path: string) => FileSystemKind = fileSystemOf,
  mounts: string = mountTable(),
): Transient | undefined {
  const kind = kindOf(folder);
  if (kind === 'memory') return 'memory';
  const mount = mountOf(existing(folder), mounts);
  // The layer need not be an overlay: Docker can keep it on btrfs or zfs, Podman on FUSE.
  if (kind === 'overlay' || mount?.point === '/') return 'layer';
  return madeForOne.find(([root]) => mount && root.test(`${mount.root}/`))?.[1];
}

/**
 * Returns what is lost where the state has no volume, as a sentence; undefined where it has one.
 *
 * @param keepsJournal whether the journal is kept there all the same, because INBOX is set
 */
export function volumeWarning(stateDir: string, keepsJournal: boolean): string | undefined {
  const transience = transienceOf(stateDir);
  if (transience === undefined) return undefined;
  const place = `${stateDir} (STATE_DIR) ${goesWith[transience]}`;
  const cure = 'mount a volume there (Docker: one with a name, Kubernetes: a PersistentVolumeClaim)';
  return keepsJournal
    ? `${place}, and with it the updates in the inbox: ${cure}, or set INBOX=memory`
    : `${place}, so updates are kept at Telegram (INBOX=memory): for the journal, ${cure}`;
}

function mountOf(path: string, table: string): Mount | undefined {
  const mounts = table.split('\n').map(parseMount);
  // Of several mounts at one point, the last one is seen.
  return mounts.reduce<Mount | undefined>(
    (nearest, mount) =>
      mount && holds(mount.point, path) && mount.point.length >= (nearest?.point.length ?? 0)
        ? mount
        : nearest,
    undefined,
  );
}

/** See proc_pid_mountinfo(5). Blanks in a name are written as octal numbers. */
function parseMount(line: string): Mount | undefined {
  const [, , , root, point] = line
    .split(' ')
    .map((field) =>
      field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    );
  return root === undefined || point === undefined ? undefined : { root, point };
}

const holds = (point: string, path: string): boolean =>
  point === '/' || path === point || path.startsWith(`${point}/`);

/** Returns the real path of a folder, or of the nearest one above it if there is nothing at the path yet. */
function existing(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    const parent = dirname(path);
    return codeOf(error) === 'ENOENT' && parent !== path ? existing(parent) : path;
  }
}

function mountTable(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return '';
  }
}
