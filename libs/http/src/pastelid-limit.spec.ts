import 'reflect-metadata';
import { Controller, Get } from '@nestjs/common';
import { expect, test } from '@jest/globals';
import { newIdentity, provenBy, send, startHttpApp } from '../../../test/support/http-app.js';
import { CallerPastelId, Challenged } from './challenge.guard.js';

@Controller()
class Mine {
  @Get('mine')
  @Challenged({ in: 'query' })
  mine(@CallerPastelId() caller: string): string {
    return caller;
  }
}

test('one PastelID may call so often, from whatever address; nobody uses up the share of another', async () => {
  const settings = { requestsPerMinutePerPastelId: 2, limitLoopback: true };
  const http = await startHttpApp({ controllers: [Mine], settings });
  const { url, clock } = http;
  const [one, other] = [newIdentity(), newIdentity()];
  const call = async (who: typeof one, signer = who) => {
    const proof = (await provenBy(url, who)) as Record<string, string>;
    const forged = (await provenBy(url, signer)) as Record<string, string>;
    const fields = who === signer ? proof : { ...proof, challenge_signature: forged['challenge_signature']! };
    return send('GET', `${url}/mine?${new URLSearchParams(fields).toString()}`);
  };
  for (let forged = 0; forged < 3; forged++) expect((await call(one, other)).status).toBe(401);
  expect((await call(one)).status).toBe(200);
  expect((await call(one)).status).toBe(200);
  const refused = await call(one);
  expect(refused.status).toBe(429);
  expect(Number(refused.headers['retry-after'])).toBe(30);
  expect((await call(other)).status).toBe(200);
  clock.advance(30_000);
  expect((await call(one)).status).toBe(200);
  await http.close();
});
