import module from 'node:module';

// Loaded before everything else (see the apps' node.env): only what is loaded later has its lines mapped. A Node older than
// 22.14 has no such choice, and does without.
if ('setSourceMapsSupport' in module) {
  module.setSourceMapsSupport(true, { nodeModules: false, generatedCode: false });
}
