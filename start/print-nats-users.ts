import { reasonOf } from '#service';
import { usersBy } from './nats-users.js';

try {
  process.stdout.write(usersBy(process.argv[2] ?? ''));
} catch (error) {
  console.error(reasonOf(error));
  process.exit(1);
}
