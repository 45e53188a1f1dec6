/**
 * `node first-start.mjs PROGRAM`: the first start of an installed app on an account of its own, in a network of its own
 * (first-start.sh) whose only way out counts packets. Prints what it found as JSON.
 */
import { readFileSync, rmSync } from 'node:fs';
import dgram from 'node:dgram';
import { openDisplay } from '../../electron/dev/display.mjs';
import { account, filesBelow, InstalledApp, leftBeside, until } from './app.mjs';

/** Packets that left by the way out, and datagrams by any way: names are asked for by datagrams. */
function sent() {
  // Behind the link's name: eight numbers of what came in, then bytes and packets that went out.
  const counts = /^ *out:(.*)$/m.exec(readFileSync('/proc/net/dev', 'utf8'))[1].trim().split(/\s+/);
  const packets = Number(counts[9]);
  const lines = readFileSync('/proc/net/snmp', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('Udp: '));
  const [names, values] = lines.map((line) => line.split(' '));
  return { packets, datagrams: Number(values[names.indexOf('OutDatagrams')]) };
}

const display = await openDisplay();
const user = account({ ...process.env, ...display.env });
try {
  const before = sent();
  const app = await InstalledApp.start(process.argv[2], user.env);
  // Long enough for whatever an app does after its window is there: the devices' test, Chromium's own services.
  await until('the test of devices', async () =>
    (await app.call('devices.list')).every(({ status }) => !['untested', 'testing'].includes(status)),
  );
  await app.page.waitForTimeout(10_000);
  await app.call('projects.createSample');
  const { home } = await app.call('app.info');
  await app.stop();
  const after = sent();
  // A meter that counts nothing proves nothing.
  const socket = dgram.createSocket('udp4');
  await new Promise((resolve) => socket.send('x', 9, '192.0.2.1', resolve));
  socket.close();
  const control = sent();
  process.stdout.write(
    `${JSON.stringify({
      secondsToWindow: app.secondsToWindow,
      home: home.slice(user.home.length + 1),
      files: filesBelow(user.home),
      beside: leftBeside(user),
      packets: after.packets - before.packets,
      datagrams: after.datagrams - before.datagrams,
      controlPackets: control.packets - after.packets,
      controlDatagrams: control.datagrams - after.datagrams,
    })}\n`,
  );
} finally {
  display.stop();
  rmSync(user.root, { recursive: true, force: true });
}
process.exit(0);
