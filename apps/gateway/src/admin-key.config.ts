import { SecretSetting, UrlSetting } from '#service';

/** What the command is told that makes an admin's key: as the gateway is. */
export class AdminKeyConfig {
  @UrlSetting(['postgres', 'postgresql']) DATABASE_URL!: string;
  @SecretSetting(32) KEY_SECRET!: string;
}
