import { type Project } from './project.js';
import { type Rig } from './rig.js';
import { type Write } from './write.js';

/** What a fault may lay hands on. */
export interface Scene {
  rig: Rig;
  projects: readonly Project[];
  tell: (line: string) => void;
}

/** A fault that holds: what ends it, and which writes nobody can acknowledge before that. */
export interface Begun {
  end: () => Promise<void> | void;
  prevents?: (write: Write) => boolean;
  /** What happens while it holds; otherwise nothing does, for `hold_ms`. @returns keys that opened after their end */
  during?: () => Promise<string[]>;
}

export interface Fault {
  /** The row of the report's table that it counts for. */
  row: string;
  name: string;
  hold_ms: number;
  /** Whether the gateway itself stands still, so that no answer of it can be in time. */
  stillsGateway?: boolean;
  /** Whether the gateway itself dies, so that there is nobody to answer until it is ready again. */
  killsGateway?: boolean;
  /** Whether it can only be done to file systems of our own. */
  needsVolumes?: boolean;
  /** Whether nobody is to notice: no request may fail while it holds. */
  isHarmless?: boolean;
  begin(scene: Scene): Promise<Begun>;
}

/** A fault that was, on the clock of the journal. */
export interface Struck {
  row: string;
  name: string;
  began_at: number;
  /** From here until `ending_at` it held. */
  held_at: number;
  ending_at: number;
  healed_at: number;
  /** From its end until everything was ready and each kind of write was acknowledged again and a key revoked; undefined when that never came. */
  recovered_ms?: number;
  /** From its end until all that was committed by then had gone through the feeds and the consumer; undefined when it never had. */
  caught_up_ms?: number;
  /** Keys that still opened after they had been revoked, while it held or later. */
  breaches: string[];
  prevents?: (write: Write) => boolean;
  stillsGateway: boolean;
  killsGateway: boolean;
  isHarmless: boolean;
}
