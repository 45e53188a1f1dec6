/** strace on a copy of the app and the trainers it starts: lets calls to the system fail, or kills whoever makes them. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

const MILLISECONDS_TO_LET_GO = 5000;

export class Tracer {
  #log = '';

  private constructor(
    private readonly child: ChildProcess,
    private readonly exit: Promise<unknown>,
  ) {}

  /** @param what of strace's `inject`, as `error=EIO:when=3+` */
  static async attach(pids: readonly number[], calls: string, what: string): Promise<Tracer> {
    const words = ['-f', ...pids.flatMap((pid) => ['-p', String(pid)])];
    words.push('-e', `trace=${calls}`, '-e', `inject=${calls}:${what}`, '-e', 'signal=none');
    const child = spawn('strace', words, { stdio: ['ignore', 'ignore', 'pipe'] });
    const tracer = new Tracer(child, once(child, 'exit'));
    await new Promise<void>((resolve, reject) => {
      child.stderr?.on('data', (text: Buffer) => {
        tracer.#log += text.toString();
        // Of a process that has just ended it says so instead.
        if ((tracer.#log.match(/attached|attach: ptrace/g) ?? []).length >= pids.length) resolve();
      });
      child.once('exit', () => reject(new Error(`strace: ${tracer.#log}`)));
    });
    return tracer;
  }

  /** Did it come to what was to happen? */
  get struck(): boolean {
    return / = \?$|\(INJECTED\)|killed by SIGKILL/m.test(this.#log);
  }

  /** Lets the processes go on as they are. */
  async detach(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGINT');
    // Where it killed what it traced, it may wait for that for ever.
    const timer = setTimeout(() => this.child.kill('SIGKILL'), MILLISECONDS_TO_LET_GO);
    await this.exit;
    clearTimeout(timer);
  }
}
