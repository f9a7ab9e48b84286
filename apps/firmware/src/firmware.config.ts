import { AppConfig } from '#service';

export class FirmwareConfig extends AppConfig {}
