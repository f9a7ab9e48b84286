import { UrlSetting, WordSetting } from '#service';
import { SCHEMAS, type AppName } from './app-schema.js';

/** What the job is told that comes before an app: once for each app, and again for each new version. */
export class PrepareConfig {
  @WordSetting(Object.keys(SCHEMAS)) APP!: AppName;
  /** The database as a role that may create roles. */
  @UrlSetting(['postgres', 'postgresql']) DATABASE_URL!: string;
  /** The database as the app will open it: its role is made with this password. */
  @UrlSetting(['postgres', 'postgresql']) APP_DATABASE_URL!: string;
  /**
   * The database as the role that owns the schema: that role is made with this password, and the migration is left to
   * who knows it. Unset: the owner's password follows from the administrator's, and the migration runs at once.
   */
  @UrlSetting(['postgres', 'postgresql'], { optional: true }) OWNER_DATABASE_URL?: string;
}
