/** Looks at the state folder and its disk. */
import { randomUUID } from 'node:crypto';
import { accessSync, constants, lstatSync, rmSync, statfsSync, statSync } from 'node:fs';
import { lstat, open, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileSystemOf } from '../../file-system.js';
import { codeOf } from '../../system-error.js';
import { tryOr } from '../../thrown.js';
import { nameOf } from '../unix-user.js';
import { within } from './time-limit.js';

/** The user that owns a folder. */
interface Owner {
  readonly uid: number;
  readonly name: string;
}

export interface StateFacts {
  readonly stateDir: string;
  /** The folder itself, or the nearest above it that exists, where it would be made. */
  readonly place: string;
  readonly kind: 'folder' | 'missing' | 'file';
  /** Why this user cannot write there, as the system's code; undefined if it can. */
  readonly closed: string | undefined;
  readonly isMemory: boolean;
  /** Whether it is on a file system that stores nothing, such as /proc. */
  readonly isNoDisk: boolean;
  readonly freeBytes: number;
  /** How many more files the disk takes; undefined where it has no such limit. */
  readonly freeFiles: number | undefined;
  /** How long a small write took until it was on the disk, in the middle of several; undefined if none was made. */
  readonly syncMs: number | undefined;
  /** Whether the writes were given up, because the disk had not answered in time. */
  readonly isStuck: boolean;
  /** Why a write was refused, as the system's code; undefined if none was. */
  readonly refusal: string | undefined;
  /** The bot's own folder in it: who owns it, and who may write to it. Undefined if there is none. */
  readonly botFolder: (Owner & { readonly path: string; readonly mode: number }) | undefined;
  /** Who owns the place. */
  readonly owner: Owner | undefined;
  /** The unit that it is of; undefined where it is not that of a unit. */
  readonly unit: string | undefined;
  /** The user of this command. */
  readonly uid: number;
}

const SYNCS = 3;
/** As large as what a quiet bot writes at a time. */
const WRITTEN = Buffer.alloc(4_096);

export async function lookAtState(
  stateDir: string,
  botKey: string | undefined,
  unit?: string,
): Promise<StateFacts> {
  const place = nearest(stateDir);
  const stat = tryOr(() => statSync(stateDir), undefined);
  const kind = stat === undefined ? 'missing' : stat.isDirectory() ? 'folder' : 'file';
  const closed = closedBy(place);
  const disk = tryOr(() => statfsSync(place), undefined);
  const canSync = kind === 'folder' && closed === undefined;
  const sync = canSync ? await timedSync(stateDir) : {};
  return {
    ...{ stateDir, place, kind, closed },
    ...{ syncMs: sync.syncMs, isStuck: sync.isStuck ?? false, refusal: sync.refusal },
    isMemory: fileSystemOf(stateDir) === 'memory',
    isNoDisk: disk?.blocks === 0,
    freeBytes: disk ? disk.bavail * disk.bsize : Number.NaN,
    freeFiles: disk && disk.files > 0 ? disk.ffree : undefined,
    botFolder: botKey === undefined ? undefined : lookAtFolder(join(stateDir, botKey)),
    owner: lookAtFolder(place),
    unit,
    uid: process.geteuid?.() ?? 0,
  };
}

function nearest(path: string): string {
  const parent = dirname(path);
  return parent === path || tryOr(() => lstatSync(path), undefined) ? path : nearest(parent);
}

function closedBy(place: string): string | undefined {
  try {
    accessSync(place, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return codeOf(error) ?? 'for an unknown reason';
  }
}

function lookAtFolder(path: string): StateFacts['botFolder'] {
  return tryOr(() => {
    const { uid, mode } = statSync(path);
    return { path, uid, name: nameOf(uid), mode: mode & 0o777 };
  }, undefined);
}

type TimedSync = Partial<Pick<StateFacts, 'syncMs' | 'isStuck' | 'refusal'>>;

/** Times writes. Never rejects. */
const timedSync = (folder: string): Promise<TimedSync> =>
  within<TimedSync>(
    () =>
      medianSync(folder).then(
        (syncMs) => ({ syncMs }),
        (error: unknown) => ({ refusal: codeOf(error) ?? `${error}` }),
      ),
    { isStuck: true },
  );

const PREFIX = '.doctor-';
/** No command of this kind runs for so long: a file of this age was left behind by one that was killed. */
const LEFT_BEHIND_MS = 60_000;

/** Writes to a file of its own, whose name no bot has, and removes it. */
async function medianSync(folder: string): Promise<number> {
  await removeLeftovers(folder);
  const path = join(folder, `${PREFIX}${randomUUID()}`);
  const file = await open(path, 'wx', 0o600);
  try {
    const took: number[] = [];
    for (let n = 0; n < SYNCS; n++) {
      const begunAt = performance.now();
      await file.write(WRITTEN);
      await file.datasync();
      took.push(performance.now() - begunAt);
    }
    return took.sort((one, other) => one - other)[SYNCS >> 1] ?? Number.NaN;
  } finally {
    await file.close();
    rmSync(path, { force: true });
  }
}

async function removeLeftovers(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const paths = names.filter((name) => name.startsWith(PREFIX)).map((name) => join(folder, name));
  for (const path of paths)
    try {
      const stat = await lstat(path);
      if (stat.isFile() && Date.now() - stat.mtimeMs > LEFT_BEHIND_MS) await rm(path, { force: true });
    } catch {
      // That of another user stays.
    }
}
