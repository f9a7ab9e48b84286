import { globSync, readFileSync } from 'node:fs';
import { build } from 'rolldown';

// What is started again when it dies, and what it is compared with: decision 75.
const scripts = globSync(['dist/apps/*/src/{main,migrate}.js', 'dist/bench/**/*.main.js']);

/** Lines of ours lead to their TypeScript. Maps of packages would take each process 3 MB, and a twentieth longer to load. */
const ownSourceMaps = {
  name: 'own source maps',
  load: {
    filter: { id: { include: /\/dist\/.*\.js$/, exclude: /\/node_modules\// } },
    handler: (id) => ({ code: readFileSync(id, 'utf8'), map: readFileSync(`${id}.map`, 'utf8') }),
  },
  transform: {
    filter: { id: /\/node_modules\// },
    handler: (code) => ({ code, map: { mappings: '' } }),
  },
};

await build({
  input: Object.fromEntries(scripts.map((script) => [script.replace(/^dist\/|\.js$/g, ''), script])),
  platform: 'node',
  // Finds what it is on this machine by its own place.
  external: ['koffi'],
  plugins: [ownSourceMaps],
  // Drivers and transports that nobody uses are not installed; whoever asks for one is ready for that.
  checks: { unresolvedImport: false },
  output: {
    dir: 'dist/bundles',
    format: 'esm',
    // Names of classes are in logs and in the OpenAPI document.
    keepNames: true,
    // V8 keeps the text of what it has loaded, with two bytes for each letter if one of them is not of Latin-1.
    charset: 'ascii',
    comments: false,
    sourcemap: true,
    sourcemapExcludeSources: true,
  },
});
