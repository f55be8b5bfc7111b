import { Command, CommanderError } from 'commander';
import * as commands from './commands.js';
import type { Context } from './context.js';
import * as inferences from './inference-commands.js';
import { quote } from './quote.js';
import { EXIT, explain, type Terminal } from './output.js';
import {
  listSecrets,
  removeSecret,
  secretFromUser,
  setSecret,
  storeOfMachine,
  type SecretInput,
  type SecretsContext,
} from './secrets.js';
import { UserNode, type GlobalOptions } from './user-node.js';

const EXAMPLES = `
Examples:
  pastel-inference network
  pastel-inference buy 1500
  pastel-inference infer "Why is the sky blue?"
  pastel-inference balance --json

The node is named by RPC_HOST, RPC_PORT, RPC_USER and RPC_PASSWORD (environment, .env) or by ~/.pastel/pastel.conf;
the network of \`npm start\` on this machine is used where none is named. LOCAL_PASTEL_ID and LOCAL_PASTEL_ID_PASSPHRASE
say who you are. Progress goes to stderr, results to stdout.
Exit codes: 0 done, 1 refused or failed, 2 wrong use, 3 no answer from the node.`;

const console_: Terminal = {
  out: (text) => void process.stdout.write(`${text}\n`),
  error: (text) => void process.stderr.write(`${text}\n`),
};

/** Runs one command line, without the program's own name; gives the exit code. */
export async function run(
  args: readonly string[],
  terminal: Terminal = console_,
  input: SecretInput = secretFromUser(),
): Promise<number> {
  const program = programOf(terminal);
  addAudit(program, terminal);
  addSecrets(program, terminal, input);
  // Sub-commands inherit neither: without this a wrong option would end the process itself.
  for (const command of commandsOf(program)) command.exitOverride().copyInheritedSettings(program);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return EXIT.done;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    return explain(error, terminal);
  }
}

function programOf(terminal: Terminal): Command {
  const program = new Command('pastel-inference')
    .description('Buy and spend inference credits on the Pastel network')
    .option('--pastelid <id>', 'act as this PastelID of the node')
    .option('--json', 'print the result as JSON')
    .option('-q, --quiet', 'print no progress')
    .addHelpText('after', EXAMPLES)
    .exitOverride()
    .configureOutput({ writeOut: (text) => terminal.out(text.trimEnd()), writeErr: (text) => terminal.error(text.trimEnd()) });

  const withNode = nodeOpener(program, terminal);
  const many = (value: string, all: string[] = []): string[] => [...all, value];

  program.command('network').description('the supernodes, what they offer, and your wallet').action(withNode(commands.network));
  program
    .command('pastelid')
    .description('make a PastelID and write it to the chain (1000 PSL)')
    .action(withNode(commands.pastelid));
  program
    .command('buy <credits>')
    .description('buy a credit pack; run it again to go on after an interruption')
    .option(
      '--tracking-address <address>',
      'an address of your wallet whose burns pay for requests; made and funded where absent',
    )
    .option('--max-price <psl>', 'most that a credit may cost (100 PSL where absent)')
    .option('--authorise <pastelid>', 'who else may spend it; may be given again', many)
    .action(withNode(commands.buy));
  program.command('packs').description('the credit packs that you may spend').action(withNode(commands.packs));
  program.command('balance [pack]').description('the credits left in a pack').action(withNode(commands.balance));
  program
    .command('quote <prompt>')
    .description('what an inference would cost, and why; nothing is asked for or paid')
    .option('--model <name>', 'the first that fits where absent; see `network`')
    .option('--type <type>', 'the sort of inference', 'text_completion')
    .option('--param <name=value>', 'a parameter of the model; may be given again', many)
    .action(withNode(quote));
  program
    .command('infer <prompt>')
    .description('run one inference on a credit pack')
    .option('--pack <txid>', 'the pack that pays; the first with credits left where absent')
    .option('--model <name>', 'the first that fits where absent; see `network`')
    .option('--type <type>', 'the sort of inference', 'text_completion')
    .option('--param <name=value>', 'a parameter of the model; may be given again', many)
    .option('--max-credits <credits>', 'most that it may cost', '100')
    .option('--credit-note <id>', 'pay from a credit note, at the supernode that wrote it; see `notes`')
    .action(withNode(inferences.infer));
  program
    .command('notes')
    .description('what supernodes owe you for requests that they did not serve')
    .action(withNode(inferences.notes));
  program
    .command('audit <response-id>')
    .description('compare an inference with what other supernodes were told')
    .action(withNode(inferences.audit));
  program
    .command('rate <response-id> <score>')
    .description('rate the supernode that ran an inference, once, from 0 to 5')
    .action(withNode(inferences.rate));
  return program;
}

/** Opens the node for one command and closes it after. */
const nodeOpener =
  (program: Command, terminal: Terminal) =>
  <A extends unknown[]>(act: (context: Context, ...args: A) => Promise<void>) =>
  async (...args: A): Promise<void> => {
    const options = program.opts<GlobalOptions>();
    const node = new UserNode(options, terminal);
    try {
      await act({ node, terminal, json: options.json === true }, ...args);
    } finally {
      node.close();
    }
  };

/** For who runs a supernode. */
function addAudit(program: Command, terminal: Terminal): void {
  program
    .command('audit-books [database...]')
    .description("recompute a supernode's books from its database and the chain, and name any difference")
    .option('--no-chain', 'compare the rows alone, without asking pasteld')
    .action(
      nodeOpener(
        program,
        terminal,
      )(async (context, databases: string[], options: { chain: boolean }) => {
        // Loads the whole server, which no other command needs.
        const { auditBooks } = await import('./audit-books.js');
        await auditBooks(context, databases, options);
      }),
    );
}

const commandsOf = (command: Command): Command[] => command.commands.flatMap((each) => [each, ...commandsOf(each)]);

/** For who runs a supernode; these talk to no node. */
function addSecrets(program: Command, terminal: Terminal, input: SecretInput): void {
  const withStore =
    <A extends unknown[]>(act: (context: SecretsContext, ...args: A) => Promise<void>) =>
    (...args: A): Promise<void> =>
      act({ terminal, json: program.opts<GlobalOptions>().json === true, store: storeOfMachine(), input }, ...args);
  const secrets = program.command('secrets').description('the keys of a supernode, kept encrypted in this folder');
  secrets
    .command('set <name>')
    .description('keep the value that is typed or piped in, e.g. of OPENAI_API_KEY')
    .action(withStore(setSecret));
  secrets.command('list').description('the names of what is kept').action(withStore(listSecrets));
  secrets.command('remove <name>').description('forget it').action(withStore(removeSecret));
}
