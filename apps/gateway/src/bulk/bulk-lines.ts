import { ApiProperty } from '@nestjs/swagger';
import {
  DeviceId,
  IdempotencyKeyField,
  NewEvent,
  NewFirmwareEvent,
  NewMessage,
  OneOf,
  Reprice,
  StateReport,
  type FieldError,
} from '#contracts';

/** What every line says beside the body of its single route. */
export interface BulkLine {
  kind: string;
  idempotency_key?: string;
}

export class EventLine extends NewEvent implements BulkLine {
  @OneOf(['event']) kind!: string;
  @IdempotencyKeyField() idempotency_key?: string;
}

export class StateLine extends StateReport implements BulkLine {
  @OneOf(['state']) kind!: string;
  @IdempotencyKeyField() idempotency_key?: string;
  @DeviceId() device_id!: string;
}

export class FirmwareLine extends NewFirmwareEvent implements BulkLine {
  @OneOf(['firmware']) kind!: string;
  @IdempotencyKeyField() idempotency_key?: string;
  @DeviceId() device_id!: string;
}

export class MessageLine extends NewMessage implements BulkLine {
  @OneOf(['message']) kind!: string;
  @IdempotencyKeyField() idempotency_key?: string;
}

export class PriceLine extends Reprice implements BulkLine {
  @OneOf(['price']) kind!: string;
  @IdempotencyKeyField() idempotency_key?: string;
}

export const BULK_LINES = [EventLine, StateLine, FirmwareLine, MessageLine, PriceLine];

class LineFault implements FieldError {
  @ApiProperty() pointer!: string;
  @ApiProperty() detail!: string;
}

class LineError {
  @ApiProperty() code!: string;
  @ApiProperty() detail!: string;
  @ApiProperty({ type: [LineFault], required: false }) errors?: LineFault[];
}

/** What became of a line; `status` is what its single route would have answered. */
export class LineVerdict {
  @ApiProperty({ type: 'integer', description: 'From 1 on.' }) line!: number;
  @ApiProperty({ type: 'integer' }) status!: number;
  @ApiProperty({ required: false, format: 'uuid' }) id?: string;
  @ApiProperty({ required: false, enum: ['applied', 'duplicate', 'stale'] }) result?: string;
  @ApiProperty({ required: false, description: 'The line was done before: this is the first answer again.' })
  replayed?: boolean;
  @ApiProperty({ required: false, type: LineError }) error?: LineError;
}
