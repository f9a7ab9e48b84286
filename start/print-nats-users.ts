import { usersBy } from './nats-users.js';

try {
  process.stdout.write(usersBy(process.argv[2] ?? ''));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
