/** `diagnose`: what to send along when something goes wrong. */
import type { Command } from './command.js';

export const diagnose: Command = {
  name: 'diagnose',
  arguments: '',
  positionals: [0, 0],
  about:
    'Prints the diagnostic report: versions, system, devices, settings, counts and the end of the log, without names, texts and paths of yours.',
  options: {},
  async run(_, { handlers, out }) {
    const { text, logFolder } = await handlers['app.diagnose']({});
    out.event({ event: 'diagnosis', text, logFolder }, text);
    return 0;
  },
};
