import { Controller, Inject, Module, type INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Bus, BusConnection, BusModule, busServer, Handles, HandlesRead, HandlesTogether } from '#bus';
import { contract, Failure, Reply, type Call, type Outcome } from '#contracts';
import { type CallLimits } from '../src/bus.js';
import { type ServerLimits } from '../src/bus.server.js';

/** What the echo service shall do with a call. */
export class Shout {
  token!: string;
  text!: string;
  /** `hold` answers once the test lets it. */
  act!: 'answer' | 'refuse' | 'break' | 'hold';
  /** Characters that the answer has beyond the text. */
  grow?: number;
}

export class Echo {
  token!: string;
  text!: string;
}

export const shoutAlone = contract('echo.shout-alone', Shout, Echo);
export const listen = contract('echo.listen', Shout, Echo);
export const shoutTogether = contract('echo.shout-together', Shout, Echo);

/** What the handlers have seen, and the gate that holds back calls that ask for it, closed at first. */
export class Heard {
  /** Tokens, a list for each time that a handler ran. */
  readonly alone: string[][] = [];
  readonly read: string[][] = [];
  readonly together: string[][] = [];
  readonly calls: Call<Shout>[] = [];
  private opened = Promise.withResolvers<void>();

  get gate(): Promise<void> {
    return this.opened.promise;
  }

  holdBack(): void {
    this.opened = Promise.withResolvers<void>();
  }

  letGo(): void {
    this.opened.resolve();
  }
}

@Controller()
class EchoController {
  constructor(@Inject(Heard) private readonly heard: Heard) {}

  @Handles(shoutAlone)
  alone(call: Call<Shout>): Promise<Reply<Echo>> {
    this.heard.alone.push([call.request.token]);
    this.heard.calls.push(call);
    return this.answer(call);
  }

  @HandlesRead(listen)
  listen(call: Call<Shout>): Promise<Reply<Echo>> {
    this.heard.read.push([call.request.token]);
    return this.answer(call);
  }

  @HandlesTogether(shoutTogether)
  async together(calls: Call<Shout>[]): Promise<Outcome<Echo>[]> {
    this.heard.together.push(calls.map(({ request }) => request.token));
    this.heard.calls.push(...calls);
    if (calls.some(({ request }) => request.act === 'hold')) await this.heard.gate;
    return calls.map(echoOf);
  }

  private async answer(call: Call<Shout>): Promise<Reply<Echo>> {
    if (call.request.act === 'hold') await this.heard.gate;
    const outcome = echoOf(call);
    if (outcome instanceof Failure) throw outcome;
    return outcome;
  }
}

function echoOf({ request: { token, text, act, grow = 0 } }: Call<Shout>): Outcome<Echo> {
  if (act === 'refuse') return new Failure('conflict', token, { members: { token } });
  if (act === 'break') throw new Error(`the handler broke at ${token}`);
  return Reply.of({ token, text: text + 'x'.repeat(grow) }, { version: token });
}

@Module({})
class EchoModule {}

/** The service `echo` over a real NATS, answering until it is closed. */
export async function startEcho(
  url: string,
  heard: Heard,
  limits?: Partial<ServerLimits>,
): Promise<INestMicroservice> {
  const app = await NestFactory.createMicroservice(
    {
      module: EchoModule,
      imports: [BusModule.forRoot({ name: 'echo', url })],
      controllers: [EchoController],
      providers: [{ provide: Heard, useValue: heard }],
    },
    { ...busServer(limits), logger: false },
  );
  await app.listen();
  return app;
}

export interface Shouter {
  bus: Bus;
  connection: BusConnection;
  close(): Promise<void>;
}

/** Someone who calls the service `echo`. */
export async function openShouter(url: string, limits?: Partial<CallLimits>): Promise<Shouter> {
  const connection = await BusConnection.open({ name: 'shouter', url });
  return { connection, bus: new Bus(connection, limits), close: () => connection.close() };
}
