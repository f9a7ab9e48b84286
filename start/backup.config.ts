import { TextSetting, UrlSetting } from '#service';

/** What a backup and a restore are told. */
export class BackupConfig {
  /** The data directory of `npm start`. */
  @TextSetting() FLOTILLA_DATA_DIR = '.flotilla';
  /** A Postgres instead of the embedded one, as a role that may replicate; its keys are not ours to copy. */
  @UrlSetting(['postgres', 'postgresql'], { optional: true }) DATABASE_URL?: string;
}
