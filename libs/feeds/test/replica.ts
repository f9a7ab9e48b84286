import { startReplica } from './things.js';

const [, , database_url, nats_url] = process.argv;
const replica = await startReplica(database_url!, nats_url!);
process.once('SIGTERM', () => void replica.stop().then(() => process.exit(0)));
process.once('disconnect', () => process.exit(0));
process.send!('started');
