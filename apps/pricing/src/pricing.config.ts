import { AppConfig, TextSetting } from '#service';

export class PricingConfig extends AppConfig {
  /** Every change also lands in files here; nowhere unless set. One directory for all replicas. */
  @TextSetting(1, { optional: true }) PRICING_ARCHIVE_DIR?: string;
}
