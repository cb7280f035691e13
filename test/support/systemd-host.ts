/**
 * A throw-away host: a real systemd, booted as PID 1 of its own namespaces, with its journald. It sees the file system
 * through an overlay whose upper layer is in memory, so that nothing it does there lasts; the network is the machine's.
 *
 * The overlay is not a nicety: any service pulls in sysinit.target, whose units would empty the machine's own /tmp and
 * see to its /dev. The stand-ins for it and for basic.target, without what they want, are the second bolt on that door.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe } from '@jest/globals';
import { repository } from './folder.js';

/** Where the checkout is found inside the host. */
export const checkout = '/srv/lastcall';

const PATIENCE_MS = 20_000;
const systemd = ['/usr/lib/systemd/systemd', '/lib/systemd/systemd'].find((path) => existsSync(path));

/**
 * Tests that need such a host. Where there can be none they are skipped, and the name says why; in CI they fail instead,
 * so that no promise goes untested without a word.
 */
export function describeUnderSystemd(name: string, tests: () => void): void {
  const missing = whyNoSystemd();
  if (!missing) describe(name, tests);
  else if (process.env['CI']) throw new Error(`no systemd for the tests, and this is CI: ${missing}`);
  else describe.skip(`${name} (skipped: ${missing})`, tests);
}

/** Why there can be no such host here; undefined where there can. */
function whyNoSystemd(): string | undefined {
  if (process.platform !== 'linux') return 'this is not Linux';
  if (process.getuid?.() !== 0) return 'it takes root';
  if (!systemd) return 'systemd is not installed';
  for (const tool of ['unshare', 'nsenter', 'setpriv', 'journalctl', 'systemd-analyze'])
    if (!inPath(tool)) return `${tool} is not installed`;
  const cgroups = cgroupFolder();
  if (!cgroups) return 'there is no cgroup2 file system';
  try {
    accessSync(cgroups, constants.W_OK);
  } catch {
    return `${cgroups} cannot be written to`;
  }
  return undefined;
}

function inPath(tool: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, tool)));
}

/** The folder of the control group that this process is in. */
function cgroupFolder(): string | undefined {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  const mount = mounts.map((line) => line.split(' ')).find(([, , type]) => type === 'cgroup2');
  const group = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1];
  return mount?.[1] && group ? join(mount[1], group) : undefined;
}

/**
 * Becomes PID 1; `$1`: an empty folder, `$2`: the checkout, `$3`: node, `$4`: systemd, `$5`: where `/home` is a link to, if
 * it is one.
 */
const boot = String.raw`
set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
if [ "$5" ]; then mkdir -p "$1/upper/$5"; ln -s "$5" "$1/upper/home"; fi
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
cd "$1/root"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount --rbind /sys sys
umount --lazy sys/fs/cgroup || true
mount -o remount,bind,ro sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
# Not the machine's own /dev either: systemd would change modes and make nodes there.
mount -t tmpfs -o mode=755 tmpfs dev
for node in null zero full random urandom tty; do touch dev/$node; mount --bind /dev/$node dev/$node; done
mkdir dev/pts dev/shm
ln -s /proc/self/fd dev/fd
ln -s pts/ptmx dev/ptmx
mount -t tmpfs tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mkdir -p srv/lastcall run/systemd/system
mount --rbind "$2" srv/lastcall
if [ ! -e usr/bin/node ]; then touch usr/bin/node; mount --bind "$3" usr/bin/node; fi
# What the targets would pull in stays out, the stand-ins below included: they keep the real ones' lists.
find usr/lib/systemd/system etc/systemd/system \( -name '*.wants' -o -name '*.requires' \) -prune -exec rm -r {} +
for target in sysinit basic; do
  printf '[Unit]\nDescription=Stand-in\nDefaultDependencies=no\n' > run/systemd/system/$target.target
done
printf '[Unit]\nDescription=Throw-away host\nDefaultDependencies=no\nRequires=systemd-journald.service\n' > run/systemd/system/host.target
hostname throw-away
export container=throw-away
# Not chroot: from within one no user namespace can be made (PrivateUsers=).
mkdir -p mnt
pivot_root . mnt
umount --lazy mnt
# As systemd itself makes it where it is not in a container: mounts made for a service have to reach it (credentials).
mount --make-rshared /
exec "$4" --unit=host.target --show-status=no --log-target=journal systemd.unified_cgroup_hierarchy=1
`;

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** An entry of the journal, as far as tests look at it. */
export interface Entry {
  readonly MESSAGE: string;
  readonly PRIORITY: string;
  readonly _PID: string;
  readonly [field: string]: unknown;
}

export class SystemdHost implements AsyncDisposable {
  readonly #folder: string;
  readonly #cgroup: string;
  readonly #unshare: ChildProcess;
  readonly #init: number;

  private constructor(folder: string, cgroup: string, unshare: ChildProcess, init: number) {
    this.#folder = folder;
    this.#cgroup = cgroup;
    this.#unshare = unshare;
    this.#init = init;
  }

  /** @param home where `/home` is a link to, as a path without a slash at its beginning. Default: it is a folder. */
  static async boot({ home = '' } = {}): Promise<SystemdHost> {
    const folder = mkdtempSync(join(tmpdir(), 'lastcall-host-'));
    // A group of its own: the namespace's root, in which systemd makes what it needs and nothing outside it.
    const cgroup = join(cgroupFolder() ?? '', `lastcall-host-${process.pid}-${Date.now()}`);
    mkdirSync(cgroup);
    const namespaces = ['--mount', '--pid', '--fork', '--kill-child', '--uts', '--ipc', '--cgroup'];
    // Nothing of it outlives this process, however that ends.
    const enter = `echo $$ > "$0/cgroup.procs"; exec setpriv --pdeathsig KILL unshare ${namespaces.join(' ')} sh -c "$@"`;
    const given = ['boot', folder, repository, process.execPath, systemd ?? '', home];
    const unshare = spawn('sh', ['-c', enter, cgroup, boot, ...given], {
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let printed = '';
    unshare.stderr?.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
    for (let tries = 0; tries < 200 && unshare.exitCode === null; tries++) {
      const init = childOf(unshare.pid);
      if (init !== undefined) {
        const host = new SystemdHost(folder, cgroup, unshare, init);
        if ((await host.run('systemctl', 'is-active', 'host.target')).code === 0) return host;
      }
      await sleep(50);
    }
    unshare.kill('SIGKILL');
    throw new Error(`the host did not boot: ${printed}`);
  }

  /** Runs a program inside the host, to its end. */
  run(program: string, ...args: string[]): Promise<Ended> {
    return new Promise((resolve, reject) => {
      const entering = this.#entering(program, ...args);
      const options = { timeout: 60_000, maxBuffer: 64 * 1024 * 1024 };
      execFile('nsenter', entering, options, (error, stdout, stderr) => {
        if (error && typeof error.code !== 'number') return reject(error);
        resolve({ code: Number(error?.code ?? 0), stdout, stderr });
      });
    });
  }

  /** The same; rejects unless it succeeds. */
  async succeed(program: string, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(program, ...args);
    if (code !== 0) throw new Error(`${program} ${args.join(' ')}: exit code ${code}\n${stdout}${stderr}`);
    return stdout;
  }

  /** Writes a file inside the host. */
  write(path: string, content: string, mode = 0o644): void {
    const file = this.path(path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content, { mode });
  }

  read(path: string): string {
    return readFileSync(this.path(path), 'utf8');
  }

  /** Where a file of the host is found from outside; links in it must not be absolute. */
  path(path: string): string {
    return join(`/proc/${this.#init}/root`, path);
  }

  /** A property of a unit. */
  async show(unit: string, property: string): Promise<string> {
    return (await this.succeed('systemctl', 'show', '--value', '-p', property, unit)).trim();
  }

  /** Waits until a property of a unit has the value. */
  async until(
    unit: string,
    property: string,
    value: string | RegExp,
    patienceMs = PATIENCE_MS,
  ): Promise<string> {
    const wanted =
      typeof value === 'string' ? (text: string) => text === value : (text: string) => value.test(text);
    const from = performance.now();
    for (;;) {
      const found = await this.show(unit, property);
      if (wanted(found)) return found;
      if (performance.now() - from > patienceMs) {
        const { stdout } = await this.run('journalctl', '-u', unit, '--no-pager', '-o', 'cat', '-n', '40');
        throw new Error(`${property} of ${unit} is ${found}, not ${value}\n${stdout}`);
      }
      await sleep(50);
    }
  }

  /** What the journal holds, all that was written before this was called. */
  async journal(...filter: string[]): Promise<Entry[]> {
    await this.succeed('journalctl', '--sync');
    const printed = await this.succeed('journalctl', '--no-pager', '-o', 'json', '--all', ...filter);
    return printed
      .split('\n')
      .filter((line) => line !== '')
      .map((line): Entry => JSON.parse(line));
  }

  /** Ends all of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#unshare, 'exit');
    this.#unshare.kill('SIGKILL');
    await ended;
    // The last processes of the namespace are gone a moment after its first.
    for (let tries = 0; tries < 100 && !removed(this.#cgroup); tries++) await sleep(20);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #entering(program: string, ...args: string[]): string[] {
    const namespaces = ['--mount', '--pid', '--uts', '--ipc', '--cgroup', '--root', '--wdns=/'];
    return ['--target', `${this.#init}`, ...namespaces, program, ...args];
  }
}

function childOf(pid: number | undefined): number | undefined {
  try {
    const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
    return child ? Number(child) : undefined;
  } catch {
    return undefined;
  }
}

/** Removes a control group with those inside it; false while something is left in one of them. */
function removed(cgroup: string): boolean {
  try {
    for (const entry of readdirSync(cgroup, { withFileTypes: true }))
      if (entry.isDirectory() && !removed(join(cgroup, entry.name))) return false;
    rmdirSync(cgroup);
    return true;
  } catch {
    return !existsSync(cgroup);
  }
}
