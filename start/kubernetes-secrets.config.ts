import { TextSetting, UrlSetting } from '#service';

/** Where the parts of an installation on Kubernetes find each other, as `k8s/` has it unless told. */
export class KubernetesSecretsConfig {
  /** The database, without a role: every role's URL is made from it. */
  @UrlSetting(['postgres', 'postgresql']) DATABASE_URL =
    'postgres://postgres-rw:5432/flotilla?sslmode=verify-full&sslrootcert=/etc/flotilla/postgres-ca.crt';
  /** NATS, without a user. */
  @UrlSetting(['nats', 'tls']) NATS_URL = 'tls://nats:4222';
  /** The role that may create roles. */
  @TextSetting() ADMIN_ROLE = 'flotilla_admin';
  /** Its password: made unless told, as of a Postgres that is there already. */
  @TextSetting(1, { optional: true }) ADMIN_PASSWORD?: string;
}
