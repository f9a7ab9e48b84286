import { Injectable } from '@nestjs/common';
import { Database } from '#database';

const HOLDERS = `
  SELECT asked, 'member' AS role, id::text AS principal, email AS address
  FROM unnest($2::text[]) AS asked JOIN auth.members ON project_id = $1 AND lower(email) = lower(asked)
  UNION ALL
  SELECT asked, 'device', id, id
  FROM unnest($2::text[]) AS asked JOIN auth.devices ON project_id = $1 AND id = asked`;

/** Who has an address that was asked for. */
export interface AddressHolder {
  asked: string;
  role: 'member' | 'device';
  principal: string;
  address: string;
}

@Injectable()
export class AddressesRepository {
  constructor(private readonly database: Database) {}

  /** Up to two for each address: a member's may be the id of a device. */
  holders(project_id: string, addresses: string[]): Promise<AddressHolder[]> {
    return this.database.prepared('address-holders', HOLDERS, [project_id, addresses]);
  }
}
