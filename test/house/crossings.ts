// Where each route, table, command and setting has its place in the rooms beside its own. crossed.test.ts reads what there is
// from the code and holds it to this: what is new fails there until it has its line here, and a line too many fails too.

/** What comes with a later release, and why it is not missed before. */
export const later = {
  names: 'a name is a few bytes, and what hangs on it is found by it; no release collects them yet',
} as const

/** What becomes of a table's rows in a backup (src/store/backup). */
const backup = {
  whole: 'every row goes over as it is',
  none: 'no row goes over: what was under way, or waited to be removed, is not there after a restore',
  meta: 'the schema goes over, the hold of the backup itself does not',
  runs: 'every row goes over; a run that was under way is broken in the copy',
  blobs: 'every row goes over; one whose bytes are not its digest’s is marked as damaged in the copy',
} as const

/** `anyone`, who is signed in, whose grants reach what is asked for, or administrators alone. */
export type Needs = 'anyone' | 'sign-in' | 'grants' | 'admin'

/** Routes besides those below /v2. What OpenAPI describes is described at /api/docs; `page` is where the documents name it too. */
export const routes: Record<string, { needs: Needs; page?: string }> = {
  'GET /token': { needs: 'anyone', page: 'docs/architecture.md' },
  'POST /token': { needs: 'anyone', page: 'docs/architecture.md' },
  'GET /health/live': { needs: 'anyone', page: 'docs/registry.md' },
  'GET /metrics': { needs: 'admin', page: 'docs/operations.md' },
  'GET /health/ready': { needs: 'anyone', page: 'docs/registry.md' },
  'GET /api': { needs: 'anyone', page: 'docs/architecture.md' },
  'GET /api/openapi.json': { needs: 'anyone', page: 'docs/scanning.md' },
  'GET /api/docs': { needs: 'anyone', page: 'docs/scanning.md' },
  'GET /api/v1/verdict': { needs: 'grants', page: 'CHANGELOG.md' },
  'GET /api/v1/images': { needs: 'grants' },
  'GET /api/v1/findings': { needs: 'grants', page: 'docs/scanning.md' },
  'GET /api/v1/sbom': { needs: 'grants' },
  'GET /api/v1/self': { needs: 'sign-in', page: 'docs/access.md' },
  'GET /api/v1/users': { needs: 'admin' },
  'POST /api/v1/users': { needs: 'admin' },
  'DELETE /api/v1/users': { needs: 'admin' },
  'POST /api/v1/users/grants': { needs: 'admin' },
  'DELETE /api/v1/users/grants': { needs: 'admin' },
  'PUT /api/v1/users/password': { needs: 'admin' },
  'GET /api/v1/robots': { needs: 'admin' },
  'POST /api/v1/robots': { needs: 'admin' },
  'DELETE /api/v1/robots': { needs: 'admin' },
  'POST /api/v1/robots/grants': { needs: 'admin' },
  'DELETE /api/v1/robots/grants': { needs: 'admin' },
  'GET /api/v1/advisories/status': { needs: 'sign-in' },
  'GET /api/v1/advisories/changes': { needs: 'admin', page: 'docs/advisories.md' },
  'GET /api/v1/advisories/changes/records': { needs: 'admin' },
  'GET /api/v1/advisories/changes/images': { needs: 'admin' },
  'GET /api/v1/images/history': { needs: 'grants', page: 'docs/advisories.md' },
  'POST /api/v1/advisories/import': { needs: 'admin' },
  'POST /api/v1/advisories/update': { needs: 'admin' },
  'GET /api/v1/advisories/revisions': { needs: 'sign-in', page: 'docs/advisories.md' },
  'POST /api/v1/advisories/rollback': { needs: 'admin', page: 'docs/advisories.md' },
  'GET /api/v1/advisories/key': { needs: 'sign-in', page: 'docs/advisories.md' },
  'GET /api/v1/advisories/export': { needs: 'admin', page: 'docs/advisories.md' },
  'GET /api/v1/packages': { needs: 'grants', page: 'docs/advisories.md' },
  'GET /api/v1/jobs': { needs: 'admin' },
  'GET /api/v1/audit-log': { needs: 'admin', page: 'docs/operations.md' },
  'GET /api/v1/audit-log/verification': { needs: 'admin' },
  'GET /api/v1/tags/history': { needs: 'grants', page: 'docs/operations.md' },
  'POST /api/v1/tags/restore': { needs: 'grants', page: 'docs/operations.md' },
  'GET /api/v1/pulls': { needs: 'grants', page: 'docs/operations.md' },
  'GET /api/v1/repositories': { needs: 'grants', page: 'docs/access.md' },
  'GET /api/v1/repositories/settings': { needs: 'grants', page: 'docs/access.md' },
  'GET /api/v1/repository-settings': { needs: 'admin', page: 'docs/access.md' },
  'PUT /api/v1/repository-settings': { needs: 'admin' },
  'DELETE /api/v1/repository-settings': { needs: 'admin' },
  'POST /api/v1/gc': { needs: 'admin', page: 'docs/operations.md' },
  'GET /api/v1/gc': { needs: 'admin' },
  'GET /api/v1/gc/deleted': { needs: 'admin' },
  'POST /api/v1/gc/undo': { needs: 'admin' },
  'GET /api/v1/scrub': { needs: 'admin' },
  'POST /api/v1/scrub': { needs: 'admin' },
  'GET /api/v1/damaged': { needs: 'admin', page: 'docs/operations.md' },
}

/** One of these grants on the repository opens it; `sign-in` where there is no repository. */
export type OciNeeds = readonly ('pull' | 'push' | 'delete')[] | 'sign-in'

/** Below /v2, by the names of `Resource` in serve/oci/route.ts. `named`: how docs/registry.md names the capability. */
export const ociRoutes: Record<string, { methods: Record<string, OciNeeds>; named: string }> = {
  ping: { methods: { GET: 'sign-in', HEAD: 'sign-in' }, named: 'OCI Distribution API' },
  catalog: { methods: { GET: 'sign-in' }, named: 'the catalog has what the caller may pull' },
  uploads: {
    methods: { POST: ['push'], GET: ['push'], PATCH: ['push'], PUT: ['push'], DELETE: ['push'] },
    named: '| blob uploads |',
  },
  blobs: { methods: { GET: ['pull'], HEAD: ['pull', 'push', 'delete'], DELETE: ['delete'] }, named: '| reads |' },
  manifests: {
    methods: { GET: ['pull'], HEAD: ['pull', 'push', 'delete'], PUT: ['push'], DELETE: ['delete'] },
    named: '| manifests |',
  },
  tags: { methods: { GET: ['pull'] }, named: '| lists |' },
  referrers: { methods: { GET: ['pull'] }, named: '| referrers |' },
}

/** How a row ends. */
export type Ends =
  /** With the row of another table that it refers to: `on delete cascade`. */
  | { with: string }
  /** By a statement in this file. */
  | { by: string }
  /** Not yet, or never; why that is fine. */
  | { stays: string }

/** The suite that looks at the table's own rows; none where nothing ships that touches them. */
export const tables: Record<string, { ends: Ends; backup: string; suite: string | { none: string } }> = {
  meta: { ends: { by: 'src/store/backup/lease.ts' }, backup: backup.meta, suite: 'src/store/suites/lease.ts' },
  repositories: { ends: { stays: later.names }, backup: backup.whole, suite: 'src/store/suites/records.ts' },
  blobs: { ends: { by: 'src/store/collection/blobs.ts' }, backup: backup.blobs, suite: 'src/store/suites/uploads.ts' },
  blob_links: { ends: { by: 'src/store/blobs/blobs.ts' }, backup: backup.whole, suite: 'src/store/suites/records.ts' },
  dead_objects: { ends: { by: 'src/store/collection/objects.ts' }, backup: backup.none, suite: 'src/store/suites/collection.ts' },
  deleted_manifests: { ends: { by: 'src/store/collection/manifests.ts' }, backup: backup.whole, suite: 'src/store/suites/collection.ts' },
  collections: { ends: { by: 'src/store/collection/runs.ts' }, backup: backup.runs, suite: 'src/store/suites/collection-at-random.ts' },
  uploads: { ends: { by: 'src/store/blobs/uploads.ts' }, backup: backup.none, suite: 'src/store/suites/uploads.ts' },
  manifests: { ends: { by: 'src/store/collection/manifests.ts' }, backup: backup.whole, suite: 'src/store/suites/manifests.ts' },
  manifest_children: { ends: { with: 'manifests' }, backup: backup.whole, suite: 'src/store/suites/accept.ts' },
  manifest_blobs: { ends: { with: 'manifests' }, backup: backup.whole, suite: 'src/store/suites/accept.ts' },
  blob_holders: { ends: { by: 'src/store/manifests/manifests.ts' }, backup: backup.whole, suite: 'src/store/records/migrate.test.ts' },
  manifest_links: { ends: { by: 'src/store/manifests/manifests.ts' }, backup: backup.whole, suite: 'src/store/suites/accept.ts' },
  tags: { ends: { by: 'src/store/tag-history.ts' }, backup: backup.whole, suite: 'src/store/suites/manifests.ts' },
  blob_layers: { ends: { by: 'src/store/collection/blobs.ts' }, backup: backup.whole, suite: 'src/store/suites/records.ts' },
  layers: { ends: { by: 'src/store/collection/blobs.ts' }, backup: backup.whole, suite: 'src/store/suites/records.ts' },
  image_chains: { ends: { with: 'manifests' }, backup: backup.whole, suite: 'src/store/suites/chains.ts' },
  package_versions: { ends: { by: 'src/store/collection/manifests.ts' }, backup: backup.whole, suite: 'src/flow/suites/examinations.ts' },
  matches: { ends: { by: 'src/flow/kept-evidence.ts' }, backup: backup.whole, suite: 'src/flow/suites/examinations.ts' },
  image_packages: { ends: { by: 'src/flow/kept-evidence.ts' }, backup: backup.whole, suite: 'src/flow/suites/examinations.ts' },
  evidence: { ends: { with: 'manifests' }, backup: backup.whole, suite: 'test/protocol/leaks/harbor.ts' },
  verdicts: { ends: { by: 'src/store/manifests/manifests.ts' }, backup: backup.whole, suite: 'src/store/suites/verdicts.ts' },
  verdict_moves: { ends: { by: 'src/store/advisory-changes.ts' }, backup: backup.whole, suite: 'src/flow/suites/estate.ts' },
  advisory_estate: {
    ends: { stays: 'one row: the revision that all evidence is right by' },
    backup: backup.whole,
    suite: 'src/flow/suites/estate.ts',
  },
  advisory_changes: {
    ends: { stays: 'a row a revision: what came, for people' },
    backup: backup.whole,
    suite: 'src/flow/suites/estate.ts',
  },
  rematches: { ends: { by: 'src/store/estate.ts' }, backup: backup.whole, suite: 'src/flow/suites/estate.ts' },
  users: { ends: { by: 'src/access/account-changes.ts' }, backup: backup.whole, suite: 'src/access/suites/accounts.ts' },
  robots: { ends: { by: 'src/access/account-changes.ts' }, backup: backup.whole, suite: 'src/access/suites/accounts.ts' },
  grants: { ends: { by: 'src/access/account-changes.ts' }, backup: backup.whole, suite: 'src/access/suites/accounts.ts' },
  audit_log: { ends: { by: 'src/store/audit-retention.ts' }, backup: backup.whole, suite: 'src/store/suites/audit.ts' },
  audit_chain: { ends: { stays: 'one row: both ends of the audit log' }, backup: backup.whole, suite: 'src/store/suites/audit.ts' },
  tag_moves: { ends: { stays: 'a tag can be put back to whatever it was' }, backup: backup.whole, suite: 'src/store/suites/tags.ts' },
  pulls: { ends: { by: 'src/store/pulls.ts' }, backup: backup.whole, suite: 'src/store/suites/pulls.ts' },
  repository_settings: {
    ends: { by: 'src/store/repository-settings.ts' },
    backup: backup.whole,
    suite: 'src/store/suites/repository-settings.ts',
  },
  jobs: { ends: { by: 'src/store/jobs/jobs.ts' }, backup: backup.whole, suite: 'src/store/suites/jobs.ts' },
}

/** Tables that their suite reaches by a function alone. */
export const reachedBy: Record<string, string> = { deleted_manifests: 'listDeleted' }

/** Tables whose rows are deleted by a statement that does not spell their name, with how it does spell it. */
export const deletedAs: Record<string, string> = { users: 'deleteFrom(tableOf(account))', robots: 'deleteFrom(tableOf(account))' }

/** `page` shows the command. `prints`: a table for people, which `--format json` replaces; or why there is none. */
export const commands: Record<string, { page: string; prints: 'table' | { none: string } }> = {
  serve: { page: 'docs/settings.md', prints: { none: 'it logs, and prints nothing on stdout' } },
  config: { page: 'docs/settings.md', prints: 'table' },
  scan: { page: 'docs/scanning.md', prints: 'table' },
  diff: { page: 'docs/scanning.md', prints: 'table' },
  sbom: { page: 'docs/scanning.md', prints: { none: 'it prints JSON alone' } },
  cache: { page: 'docs/scanning.md', prints: 'table' },
  why: { page: 'docs/gate.md', prints: 'table' },
  login: { page: 'docs/access.md', prints: { none: 'it prints nothing on stdout' } },
  logout: { page: 'docs/access.md', prints: { none: 'it prints nothing on stdout' } },
  users: { page: 'docs/access.md', prints: 'table' },
  robots: { page: 'docs/access.md', prints: 'table' },
  advisories: { page: 'docs/scanning.md', prints: 'table' },
  repositories: { page: 'docs/access.md', prints: 'table' },
  tags: { page: 'docs/operations.md', prints: 'table' },
  audit: { page: 'docs/operations.md', prints: 'table' },
  doctor: { page: 'docs/operations.md', prints: 'table' },
  health: { page: 'docs/operations.md', prints: 'table' },
  jobs: { page: 'docs/scanning.md', prints: 'table' },
  gc: { page: 'docs/operations.md', prints: 'table' },
  scrub: { page: 'docs/operations.md', prints: 'table' },
  backup: { page: 'docs/operations.md', prints: { none: 'it prints one line that says what is in it' } },
  restore: { page: 'docs/operations.md', prints: { none: 'it prints one line that says what was restored' } },
}

/**
 * Where a setting takes effect, and how it is spelled there; or that it does in a later release, which its own words must say.
 * `unused`: it is handed on already, and the part that heeds it is one that nothing outside its own stage imports yet.
 */
export const settings: Record<string, { file: string; spelled: string; unused?: string } | 'later'> = {
  listen: { file: 'src/serve/boot.ts', spelled: 'host: settings.listen.host, port: settings.listen.port' },
  publicUrl: { file: 'src/flow/house.ts', spelled: 'publicUrls(settings' },
  'tls.cert': { file: 'src/serve/server.ts', spelled: '{ tls } = house.settings' },
  'tls.key': { file: 'src/serve/server.ts', spelled: '{ tls } = house.settings' },
  behindProxy: { file: 'src/serve/forwarded.ts', spelled: 'if (!behindProxy)' },
  trustedProxies: { file: 'src/serve/forwarded.ts', spelled: 'rangesOf(trustedProxies)' },
  data: { file: 'src/flow/house.ts', spelled: 'mkdir(settings.data' },
  database: { file: 'src/flow/house.ts', spelled: 'settings.database' },
  blobs: { file: 'src/flow/house.ts', spelled: 'openFileObjects(settings.blobs)' },
  adminPassword: { file: 'src/flow/house.ts', spelled: 'settings.adminPassword' },
  policy: { file: 'src/flow/house.ts', spelled: 'policies[settings.policy]' },
  offline: { file: 'src/cli/scan-options.ts', spelled: 'offline: settings.offline' },
  log: { file: 'src/serve/boot.ts', spelled: 'level: settings.log' },
  server: { file: 'src/cli/client.ts', spelled: 'settings.server' },
  token: { file: 'src/cli/client.ts', spelled: 'settings.token' },
  username: { file: 'src/cli/client.ts', spelled: 'settings.username' },
  password: { file: 'src/cli/client.ts', spelled: 'settings.password' },
  public: { file: 'src/flow/house.ts', spelled: 'publicPatterns: settings.public' },
  repositories: { file: 'src/flow/house.ts', spelled: 'declared: settings.repositories' },
  bases: { file: 'src/flow/house.ts', spelled: 'declared: settings.bases' },
  'advisories.sources': { file: 'src/flow/advisories/chosen.ts', spelled: 'return advisories.sources' },
  'advisories.ecosystems': { file: 'src/flow/advisories/updates.ts', spelled: 'ecosystems: advisories.ecosystems' },
  'advisories.intervalSeconds': { file: 'src/flow/advisories/updates.ts', spelled: 'advisories.intervalSeconds * 1000' },
  'advisories.trustedKeys': { file: 'src/flow/advisories/export-key.ts', spelled: 'advisories.trustedKeys' },
  'audit.keepDays': { file: 'src/flow/house.ts', spelled: 'keepDays: settings.audit.keepDays' },
  'inUse.days': { file: 'src/flow/house.ts', spelled: 'inUseDays: settings.inUse.days' },
  'gate.waitSeconds': { file: 'src/flow/house.ts', spelled: 'settings.gate.waitSeconds' },
  'gc.graceSeconds': { file: 'src/flow/house.ts', spelled: 'settings.gc.graceSeconds' },
  'gc.intervalSeconds': { file: 'src/flow/house.ts', spelled: 'settings.gc.intervalSeconds' },
  'scrub.bytesPerSecond': { file: 'src/flow/house.ts', spelled: 'settings.scrub.bytesPerSecond' },
  'uploads.expireSeconds': { file: 'src/flow/house.ts', spelled: 'settings.uploads.expireSeconds' },
  'disk.lowWaterBytes': { file: 'src/flow/house.ts', spelled: 'lowWaterBytes: settings.disk.lowWaterBytes' },
  'limits.uploadsPerMinute': { file: 'src/serve/limits.ts', spelled: 'settings.limits.uploadsPerMinute)' },
  'limits.uploadsPerMinutePerAddress': { file: 'src/serve/limits.ts', spelled: 'settings.limits.uploadsPerMinutePerAddress, Date.now' },
  'limits.openUploads': { file: 'src/serve/limits.ts', spelled: 'createOpenUploads(openUploads' },
  'limits.headSeconds': { file: 'src/serve/options.ts', spelled: 'settings.limits.headSeconds' },
  'limits.bodySeconds': { file: 'src/serve/server.ts', spelled: 'createSlowBodies(house.settings.limits.bodySeconds)' },
  stopSeconds: { file: 'src/serve/boot.ts', spelled: 'settings.stopSeconds' },
  'metrics.listen': { file: 'src/serve/server.ts', spelled: '{ listen } = house.settings.metrics' },
  'tracing.endpoint': { file: 'src/flow/traced/traced.ts', spelled: '{ endpoint } = settings.tracing' },
  'tracing.headers': { file: 'src/kit/tracing/tracing.ts', spelled: 'parseHeaders(tracing.headers' },
  'tracing.serviceName': { file: 'src/kit/tracing/tracing.ts', spelled: "['service.name', serviceName]" },
  'tracing.resourceAttributes': { file: 'src/kit/tracing/tracing.ts', spelled: 'parseKeyValues(resourceAttributes' },
  'tracing.sampler': { file: 'src/kit/tracing/tracing.ts', spelled: 'createSampler(tracing.sampler' },
  'tracing.sampleRatio': { file: 'src/kit/tracing/tracing.ts', spelled: 'tracing.sampleRatio' },
  'network.allowPrivate': { file: 'src/kit/outgoing/outgoing.ts', spelled: 'rangesOf(network.allowPrivate)' },
  'network.ca': { file: 'src/kit/outgoing/outgoing.ts', spelled: 'trustAuthorities(network.ca)' },
}
