import { ApiProperty } from '@nestjs/swagger';
import {
  CursorField,
  DeviceId,
  EmailAddress,
  Labels,
  Limit,
  OneOf,
  Order,
  Text,
  Timestamp,
  Uuid,
  WholeNumber,
} from '#contracts';

const MEMBER_ROLES = ['admin', 'editor', 'viewer'] as const;
export type MemberRole = (typeof MEMBER_ROLES)[number];

/** Of all that messages are sent to: nobody could write to a member whose address is longer. */
const ADDRESS_LENGTH = 128;

export class ListQuery {
  @Order() order?: 'asc' | 'desc';
  @Limit() limit?: number;
  @CursorField() cursor?: string;
}

export class IdPath {
  @Uuid() id!: string;
}

export class DevicePath {
  @DeviceId() device_id!: string;
}

class Page {
  @ApiProperty({ type: String, nullable: true }) next_cursor!: string | null;
}

export class NewProject {
  @Text({ max: 128, example: 'north' }) name!: string;
}

export class ProjectView {
  @ApiProperty({ format: 'uuid' }) id!: string;
  @ApiProperty() name!: string;
  @ApiProperty({ format: 'date-time' }) created_at!: string;
}

export class CreatedProject extends ProjectView {
  @ApiProperty({ description: 'Shown this once.' }) admin_key!: string;
}

export class ProjectPage extends Page {
  @ApiProperty({ type: [ProjectView] }) projects!: ProjectView[];
}

export class NewMember {
  @EmailAddress({ max: ADDRESS_LENGTH }) email!: string;
  @Text({ max: 128, optional: true }) name?: string;
  @OneOf(MEMBER_ROLES) role!: MemberRole;
}

export class MemberChange {
  @EmailAddress({ max: ADDRESS_LENGTH, optional: true }) email?: string;
  @Text({ max: 128, optional: true }) name?: string;
  @OneOf(MEMBER_ROLES, { optional: true }) role?: MemberRole;
}

export class MemberView {
  @ApiProperty({ format: 'uuid' }) id!: string;
  @ApiProperty() email!: string;
  @ApiProperty({ type: String, nullable: true }) name!: string | null;
  @ApiProperty({ enum: MEMBER_ROLES }) role!: MemberRole;
  @ApiProperty({ format: 'date-time' }) created_at!: string;
}

export class CreatedMember extends MemberView {
  @ApiProperty({ description: 'Shown this once.' }) key!: string;
}

export class MemberPage extends Page {
  @ApiProperty({ type: [MemberView] }) members!: MemberView[];
}

export class NewDevice {
  @DeviceId() id!: string;
  @Text({ max: 128, optional: true }) name?: string;
  @Labels({ optional: true }) labels?: Record<string, string>;
}

export class DeviceChange {
  @Text({ max: 128, optional: true }) name?: string;
  @Labels({ optional: true }) labels?: Record<string, string>;
}

export class DeviceView {
  @ApiProperty() id!: string;
  @ApiProperty({ type: String, nullable: true }) name!: string | null;
  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' } }) labels!: Record<string, string>;
  @ApiProperty({ format: 'date-time' }) created_at!: string;
}

export class DeviceDetails extends DeviceView {
  @ApiProperty({
    type: String,
    nullable: true,
    required: false,
    description: 'What the device runs; null before it has said so, absent while nobody can tell.',
  })
  firmware?: string | null;
}

export class CreatedDevice extends DeviceView {
  @ApiProperty({ description: 'Shown this once.' }) key!: string;
}

export class DevicePage extends Page {
  @ApiProperty({ type: [DeviceView] }) devices!: DeviceView[];
}

export class DeviceQuery extends ListQuery {
  @Text({
    max: 257,
    optional: true,
    description: 'Only devices with this label, as name:value.',
    example: 'site:north',
  })
  label?: string;
}

export class DeviceMove {
  @Uuid() project_id!: string;
}

export class NewKey {
  @DeviceId({ optional: true, description: 'Whose key: a device’s …' }) device_id?: string;
  @Uuid({ optional: true, description: '… or a member’s.' }) member_id?: string;
  @Timestamp({ optional: true }) expires_at?: string;
}

export class KeyView {
  @ApiProperty({ format: 'uuid' }) id!: string;
  @ApiProperty({ type: String, nullable: true }) member_id!: string | null;
  @ApiProperty({ type: String, nullable: true }) device_id!: string | null;
  @ApiProperty({ format: 'date-time' }) created_at!: string;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) expires_at!: string | null;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) last_used_at!: string | null;
}

export class CreatedKey extends KeyView {
  @ApiProperty({ description: 'Shown this once.' }) key!: string;
}

export class KeyPage extends Page {
  @ApiProperty({ type: [KeyView] }) keys!: KeyView[];
}

export class Rotation {
  @WholeNumber({
    min: 0,
    max: 7 * 86_400,
    optional: true,
    description: 'How long the old key still works; 0 unless told.',
  })
  overlap_seconds?: number;
}

export class Me {
  @ApiProperty() role!: string;
  @ApiProperty({ type: String, format: 'uuid', nullable: true }) project_id!: string | null;
  @ApiProperty({ description: 'A member’s id, a device’s id, or "operator".' }) principal!: string;
  @ApiProperty({ description: 'What others write to: an e-mail address or a device’s id.' }) address!: string;
  @ApiProperty({ format: 'uuid' }) key_id!: string;
  @ApiProperty({ type: [String], description: 'The routes that this key may use.' }) may!: string[];
}

export class MoveQuery {
  @Uuid({ optional: true, description: 'Needed only when several projects have a device of this id.' })
  from_project_id?: string;
}
