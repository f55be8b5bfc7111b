import { buy } from '../../../apps/cli/src/commands.js';
import { infer } from '../../../apps/cli/src/inference-commands.js';
import { UserNode } from '../../../apps/cli/src/user-node.js';
import { SettingSources } from '#config';
import { ManualClock } from '../../support/manual-clock.js';
import { answering, CrashPoint, type Kill } from './protocol.js';

// The command line in a process of its own, which kills itself where it is told to: before or after it saves something.

export interface UserOrder {
  readonly environment: Readonly<Record<string, string>>;
  /** Where the command line keeps its files. */
  readonly directory: string;
  readonly now: number;
  readonly command: Command;
  readonly kill?: Kill;
}
export type Command =
  | { readonly name: 'buy'; readonly credits: number; readonly trackingAddress: string }
  | { readonly name: 'infer'; readonly pack: string; readonly prompt: string; readonly parameters: readonly string[] };

class DyingNode extends UserNode {
  constructor(
    private readonly point: CrashPoint,
    ...node: ConstructorParameters<typeof UserNode>
  ) {
    super(...node);
  }
  override file<T>(...path: string[]): ReturnType<typeof UserNode.prototype.file<T>> {
    const { load, save } = super.file<T>(...path);
    return {
      load,
      save: async (step, state) => {
        this.point.before(step);
        await save(step, state);
        this.point.after(step);
      },
    };
  }
}

await answering<UserOrder>(async ({ environment, directory, now, command, kill }) => {
  const clock = new ManualClock(now);
  const point = new CrashPoint();
  point.arm(kill);
  const lines: string[] = [];
  const terminal = { out: (text: string) => void lines.push(text), error: () => undefined };
  const node = new DyingNode(point, { json: true, quiet: true }, terminal, directory, SettingSources.of(environment), clock);
  const context = { node, terminal, json: true };
  return {
    time: async (to: number) => clock.advance(to - clock.now().getTime()),
    /** What the command printed: JSON. */
    run: async () => {
      if (command.name === 'buy') await buy(context, String(command.credits), { trackingAddress: command.trackingAddress });
      else {
        const { pack, prompt, parameters } = command;
        const options = { pack, model: 'sandbox-echo', type: 'text_completion', param: [...parameters], maxCredits: '100' };
        await infer(context, prompt, options);
      }
      return lines.join('\n');
    },
  };
});
