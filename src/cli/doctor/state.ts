/** Checks the state folder: its place, its rights, its disk. */
import type { WatchedStateEvent } from '../../host/events.js';
import { durationInWords, sizeInWords } from '../../words.js';
import { type Finding, orWell, shellWord, skipped, warning, wrong } from './finding.js';
import type { StateFacts } from './state-facts.js';

/** Below this no updates are fetched (`src/inbox/journal/capacity.ts`). */
const LEAST_FREE_BYTES = 64 * 1024 * 1024;
const LOW_BYTES = 1_000_000_000;
const LOW_FILES = 1_000;
/** Each batch of updates waits for one sync before it is handled. An SSD takes 1 ms, a disk that turns 20 ms. */
const SLOW_SYNC_MS = 200;
const WRITABLE_BY_ALL = 0o002;

/** @param inbox the kind of inbox in use: only the journal keeps updates there */
export function checkState(
  facts: StateFacts,
  inbox: 'journal' | 'memory' | 'postgres',
  watched: WatchedStateEvent | undefined,
): readonly Finding[] {
  const { stateDir, kind } = facts;
  const place = kind === 'missing' ? `${stateDir}, which the first start makes` : stateDir;
  const found = [...checkRights(facts), ...checkPlace(facts, inbox)];
  return [
    ...orWell(found, 'folder', place),
    ...checkWatched(watched),
    ...(facts.isNoDisk ? [] : checkDisk(facts)),
  ];
}

function checkRights({
  stateDir,
  place,
  kind,
  closed,
  botFolder,
  uid,
  isNoDisk,
  owner,
  unit,
}: StateFacts): readonly Finding[] {
  const elsewhere = 'or set STATE_DIR to a folder that the bot’s user can write to';
  if (kind === 'file')
    return [
      wrong('folder', `${stateDir} (STATE_DIR) is a file, not a folder.`, {
        cure: `move it away, ${elsewhere}`,
      }),
    ];
  if (isNoDisk)
    return [
      wrong('folder', `${stateDir} (STATE_DIR) is on a file system that stores nothing.`, {
        cure: 'set STATE_DIR to a folder on a disk',
      }),
    ];
  const isOfAnother = unit !== undefined || (owner !== undefined && owner.uid !== 0 && owner.uid !== uid);
  if (closed !== undefined && closed !== 'EROFS' && isOfAnother)
    return [
      skipped(
        'folder',
        `${place} is ${unit === undefined ? `user ${owner?.name}’s` : `that of ${unit}`}; this user may not write there, which the bot may.`,
        {
          cure: 'ask as root, or as that user:',
          commands: ['sudo lastcall doctor'],
        },
      ),
    ];
  if (closed === 'EROFS')
    return [
      wrong('folder', `${place} (STATE_DIR) is on a read-only file system.`, {
        cure: `mount it for writing, ${elsewhere}; under systemd StateDirectory= makes one`,
        commands: [`findmnt --target ${shellWord(place)}`],
      }),
    ];
  if (closed !== undefined)
    return [
      wrong('folder', `This user cannot write to ${place} (STATE_DIR): ${closed}.`, {
        cure: `run this command as the bot’s user or as root, if the bot runs as another; else give the folder to the bot’s user, ${elsewhere}:`,
        commands: [`ls -ld ${shellWord(place)}`],
      }),
    ];
  if (!botFolder) return [];
  if (uid !== 0 && botFolder.uid !== uid && botFolder.uid !== 0)
    return [
      skipped(
        'folder',
        `${botFolder.path} belongs to ${botFolder.name}, and this command runs as another user.`,
        {
          cure: `if the bot runs as ${botFolder.name}, ask as root, or as that user; if it is to run as this user, it refuses the folder: once you trust what is in it, give it to this user:`,
          commands: [
            'sudo lastcall doctor',
            `sudo chown -R "$USER" ${shellWord(botFolder.path)} && chmod 700 ${shellWord(botFolder.path)}`,
          ],
        },
      ),
    ];
  if ((botFolder.mode & WRITABLE_BY_ALL) === 0) return [];
  return [
    wrong('folder', `Every user may write to ${botFolder.path}; the bot refuses to start with it.`, {
      cure: 'leave it to its owner:',
      commands: [`chmod 700 ${shellWord(botFolder.path)}`],
    }),
  ];
}

function checkPlace({ stateDir, isMemory }: StateFacts, inbox: string): readonly Finding[] {
  if (!isMemory || inbox !== 'journal') return [];
  return [
    warning(
      'folder',
      `${stateDir} (STATE_DIR) is in memory: at the next reboot, the updates in the inbox are gone.`,
      {
        cure: 'set STATE_DIR to a folder on a disk (in a container: on a volume), or INBOX=memory, which leaves updates at Telegram',
        commands: [`findmnt --target ${shellWord(stateDir)}`],
      },
    ),
  ];
}

function checkWatched(watched: WatchedStateEvent | undefined): readonly Finding[] {
  if (!watched) return [];
  const { watcher, folder, cure } = watched;
  return [
    wrong('watcher', `${watcher} watches ${folder}, and restarts the bot at each change there.`, { cure }),
  ];
}

function checkDisk({
  place,
  freeBytes,
  freeFiles,
  syncMs,
  isStuck,
  refusal,
}: StateFacts): readonly Finding[] {
  const found: Finding[] = [];
  const free = sizeInWords(freeBytes);
  const commands = [`df -h ${shellWord(place)}`, `sudo du -xh --max-depth=2 / | sort -h | tail -n 20`];
  if (freeBytes < LEAST_FREE_BYTES)
    found.push(
      wrong('disk', `The disk of ${place} has only ${free} left: no updates are fetched below 64 MiB.`, {
        cure: 'make room; polling goes on by itself:',
        commands,
      }),
    );
  else if (freeBytes < LOW_BYTES)
    found.push(
      warning('disk', `The disk of ${place} has only ${free} left.`, { cure: 'make room:', commands }),
    );
  if (freeFiles !== undefined && freeFiles < LOW_FILES)
    found.push(
      (freeFiles === 0 ? wrong : warning)(
        'disk',
        `The disk of ${place} takes only ${freeFiles} more files.`,
        {
          cure: 'remove files that nobody needs:',
          commands: [`df -i ${shellWord(place)}`],
        },
      ),
    );
  if (refusal !== undefined)
    found.push(wrong('disk', `A write to ${place} is refused: ${refusal}.`, cureOfRefusal(refusal, place)));
  else if (isStuck)
    found.push(
      wrong('disk', `The disk of ${place} has not taken a write within 2 s.`, {
        cure: 'look at the disk, or at the network by which it is reached:',
        commands: ['sudo dmesg --level=err,warn | tail -n 20'],
      }),
    );
  else if (syncMs !== undefined && syncMs > SLOW_SYNC_MS)
    found.push(
      warning(
        'disk',
        `A write takes ${durationInWords(syncMs)} until it is on the disk of ${place}, and each batch of updates waits for one.`,
        {
          cure: 'look for what keeps the disk busy, put STATE_DIR on a quicker one, or set DURABILITY=process, which gives up what a power cut takes:',
          commands: ['iostat -x 1 3'],
        },
      ),
    );
  const sync = syncMs === undefined ? '' : `, a write is safe in ${durationInWords(syncMs)}`;
  if (found.length === 0 && Number.isNaN(freeBytes))
    return [skipped('disk', 'this system does not tell what is free')];
  return orWell(found, 'disk', `${free} free${sync}`);
}

/** What to do where a write is refused, by the system's code. */
function cureOfRefusal(code: string, place: string): { readonly cure: string; readonly commands: string[] } {
  const folder = shellWord(place);
  if (code === 'ENOSPC')
    return {
      cure: 'make room, or remove files that nobody needs:',
      commands: [`df -h ${folder}`, `df -i ${folder}`],
    };
  if (code === 'EDQUOT')
    return { cure: 'the quota of this user is used up: make room:', commands: ['quota -s'] };
  if (code === 'EROFS') return { cure: 'mount it for writing:', commands: [`findmnt --target ${folder}`] };
  if (code === 'EACCES' || code === 'EPERM')
    return { cure: 'ask as the bot’s user, or give the folder to that one:', commands: [`ls -ld ${folder}`] };
  if (code === 'EMFILE' || code === 'ENFILE')
    return {
      cure: 'too many files are open: raise the limit, or find what opens them:',
      commands: ['ulimit -n'],
    };
  return {
    cure: 'look at the disk, or at the network by which it is reached:',
    commands: ['sudo dmesg --level=err,warn | tail -n 20'],
  };
}
