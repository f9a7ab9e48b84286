import { Injectable } from '@nestjs/common';
import {
  recordEvent,
  recordFirmware,
  reportState,
  reprice,
  sendMessage,
  type Caller,
  type Constructor,
  type Contract,
  type Role,
} from '#contracts';
import { AddressBook } from '../auth/address-book.js';
import { DATA_WRITERS, WRITERS } from '../auth/allow.js';
import { DevicesService } from '../auth/devices.service.js';
import { type RequestContext } from '../auth/request-context.js';
import { eventToRecord } from '../writes/event-write.js';
import { checkFirmwareOwner, FIRMWARE_REPORTERS } from '../writes/firmware-write.js';
import { messageToSend } from '../writes/message-write.js';
import { reportToMake } from '../writes/state-write.js';
import { EventLine, FirmwareLine, MessageLine, PriceLine, StateLine, type BulkLine } from './bulk-lines.js';

/** A line of a kind is a call of a single route: same rights, same rules, same idempotency keys, same answer. */
export interface LineKind<Line extends BulkLine, Request> {
  line: Constructor<Line>;
  contract: Contract<Request, unknown>;
  roles: readonly Role[];
  route: string;
  /** The device stands in the path of the route, not in its body. */
  device_in_path: boolean;
  /** What the route answers when something was made. */
  status: number;
  /** What to ask of the service, once it is clear that this caller may. The line was read at `received_at`. */
  request(content: Content<Line>, context: RequestContext, received_at: string): Request | Promise<Request>;
  /** Addresses that `request` looks up: a device that a line before registers is one. */
  addresses?(content: Content<Line>): string[];
  /** Whatever the line is about: lines about the same keep their order. */
  subjects(content: Content<Line>, caller: Caller): string[];
  /** Whether a repeat without an idempotency key does nothing, however late the first may still be done. */
  isRecognised(content: Content<Line>): boolean;
}

/** A line without what only bulk needs. */
export type Content<Line extends BulkLine> = Omit<Line, keyof BulkLine>;

/** A kind to those who pass its lines on: its own validator has made sure that they are of its type. */
export type AnyLineKind = LineKind<BulkLine & Record<string, unknown>, unknown>;
export type AnyContent = Content<BulkLine & Record<string, unknown>>;

@Injectable()
export class LineKinds {
  private readonly kinds: Record<string, AnyLineKind>;

  constructor(devices: DevicesService, addresses: AddressBook) {
    this.kinds = {
      event: kind({
        line: EventLine,
        contract: recordEvent,
        roles: DATA_WRITERS,
        route: 'POST /v1/events',
        device_in_path: false,
        status: 201,
        request: (event, context) => eventToRecord(event, context, devices),
        subjects: ({ device_id }, caller) => deviceOf(caller, device_id),
        isRecognised: ({ id }) => id !== undefined,
      }),
      state: kind({
        line: StateLine,
        contract: reportState,
        roles: DATA_WRITERS,
        route: 'PATCH /v1/devices/:device_id/state',
        device_in_path: true,
        status: 200,
        request: ({ device_id, ...report }, context, received_at) =>
          reportToMake({ device_id, report, replaces: false, received_at }, context, devices),
        subjects: ({ device_id }, caller) => deviceOf(caller, device_id),
        // A sequence does not do: once a newer one was said, the first would be kept as a late one beside its repeat.
        isRecognised: () => false,
      }),
      firmware: kind({
        line: FirmwareLine,
        contract: recordFirmware,
        roles: FIRMWARE_REPORTERS,
        route: 'POST /v1/devices/:device_id/firmware',
        device_in_path: true,
        status: 201,
        request: ({ device_id, ...event }, { caller }) => {
          checkFirmwareOwner(device_id, caller);
          return event;
        },
        subjects: ({ device_id }, caller) => deviceOf(caller, device_id),
        isRecognised: ({ timestamp }) => timestamp !== undefined,
      }),
      message: kind({
        line: MessageLine,
        contract: sendMessage,
        roles: DATA_WRITERS,
        route: 'POST /v1/messages',
        device_in_path: false,
        status: 201,
        request: (content, context) => messageToSend(content, context, addresses, devices),
        addresses: ({ recipient, sender }) => (sender === undefined ? [recipient] : [recipient, sender]),
        // Two addresses may be one mailbox: what is said stays in the order in which it was said, whoever hears it.
        subjects: ({ device_id }, caller) => ['messages', ...deviceOf(caller, device_id)],
        isRecognised: () => false,
      }),
      price: kind({
        line: PriceLine,
        contract: reprice,
        roles: WRITERS,
        route: 'POST /v1/prices',
        device_in_path: false,
        status: 202,
        request: (wish) => wish,
        subjects: ({ product_id }) => [`product ${product_id}`],
        isRecognised: () => false,
      }),
    };
  }

  get names(): string[] {
    return Object.keys(this.kinds);
  }

  named(name: unknown): AnyLineKind | undefined {
    return typeof name === 'string' && Object.hasOwn(this.kinds, name) ? this.kinds[name] : undefined;
  }
}

function kind<Line extends BulkLine, Request>(one: LineKind<Line, Request>): AnyLineKind {
  return one as unknown as AnyLineKind;
}

/** Whatever a device sends is about itself. */
function deviceOf({ role, principal }: Caller, device_id?: string): string[] {
  if (role === 'device') return [`device ${principal}`];
  return device_id === undefined ? [] : [`device ${device_id}`];
}
