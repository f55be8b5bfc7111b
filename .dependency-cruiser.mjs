/** The borders of ARCHITECTURE.md: arrows point down, a lib has one door, there are no circles. */
const features = 'credit-pack|inference|messaging|reputation|logs';
const ground = 'http|database|rpc|client|config|devnet';
const nothingOf = (names) => ({ path: `^libs/(?:${names})/` });

export default {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'protocol-and-chain-know-no-framework',
      severity: 'error',
      from: { path: '^libs/(?:protocol|chain)/', pathNot: '\\.spec(-suite)?\\.ts$' },
      to: { path: 'node_modules/(?:@nestjs|typeorm|class-|express|axios|reflect-metadata)|^libs/(?!protocol|chain)' },
    },
    {
      name: 'protocol-stands-alone',
      severity: 'error',
      from: { path: '^libs/protocol/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^libs/(?!protocol)' },
    },
    {
      name: 'front-door-only',
      severity: 'error',
      from: { path: '^(?:libs|apps|test|bench)/([^/]+)/' },
      to: { path: '^libs/([^/]+)/src/', pathNot: ['^libs/$1/', '^libs/[^/]+/src/index\\.ts$', '\\.spec-suite\\.ts$'] },
    },
    {
      name: 'ground-knows-no-feature',
      severity: 'error',
      from: { path: `^libs/(?:${ground})/`, pathNot: '\\.spec\\.ts$' },
      to: nothingOf(features),
    },
    {
      name: 'client-and-devnet-know-no-server',
      severity: 'error',
      from: { path: '^libs/(?:client|devnet)/', pathNot: '\\.spec\\.ts$' },
      to: { path: 'node_modules/(?:@nestjs|typeorm)|^libs/(?:http|database|config)/' },
    },
    {
      name: 'nothing-uses-inference',
      severity: 'error',
      from: { path: '^libs/(?!inference)', pathNot: '\\.spec\\.ts$' },
      to: nothingOf('inference'),
    },
    {
      name: 'credit-pack-uses-reputation-and-messaging-only',
      severity: 'error',
      from: { path: '^libs/credit-pack/', pathNot: '\\.spec\\.ts$' },
      to: nothingOf('inference|logs'),
    },
    {
      name: 'messaging-reputation-logs-use-no-feature',
      severity: 'error',
      from: { path: '^libs/(messaging|reputation|logs)/' },
      to: { path: `^libs/(?:${features})/`, pathNot: '^libs/$1/' },
    },
    {
      name: 'queries-only-in-repositories',
      severity: 'error',
      from: { path: '\\.(?:service|controller|rules|scheduler)\\.ts$' },
      to: { path: 'node_modules/typeorm', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'rules-are-pure',
      severity: 'error',
      from: { path: '\\.rules\\.ts$' },
      to: { path: 'node_modules/(?:@nestjs|typeorm|axios|express)', dependencyTypesNot: ['type-only'] },
    },
    { name: 'apps-are-roots', severity: 'error', from: { path: '^libs/', pathNot: '\\.spec\\.ts$' }, to: { path: '^apps/' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['types', 'import', 'node', 'default'] },
  },
};
