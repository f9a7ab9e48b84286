/** Files of the data directory without which its Postgres, or the keys in it, are worth nothing. */
export const KEPT_FILES = ['postgres.password', 'secret.key', 'operator.key', 'admin.key'];
