import { AppConfig } from '#service';

export class MessagesConfig extends AppConfig {}
