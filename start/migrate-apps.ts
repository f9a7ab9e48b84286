// The migrations of several apps in one process: to load what they share takes longer than to run them.
const owners = JSON.parse(process.env.OWNER_DATABASE_URLS!) as Record<string, string>;

for (const [app, url] of Object.entries(owners)) {
  process.env.DATABASE_URL = url;
  await import(`../bundles/apps/${app}/src/migrate.js`);
}
