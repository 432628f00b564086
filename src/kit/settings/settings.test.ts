import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { LazaretError } from '../errors.ts'
import { settingPaths, variableOf } from './catalogue.ts'
import { describeSettings, loadSettings, publicUrls, settingRows } from './settings.ts'

const folder = mkdtempSync(join(tmpdir(), 'lazaret-settings-'))
after(() => rmSync(folder, { recursive: true }))

const load = (env: Record<string, string>, cwd = folder) => loadSettings({ env, cwd })
const withFile = (yaml: string | Buffer, env: Record<string, string> = {}) => {
  writeFileSync(join(folder, 'given.yaml'), yaml)
  return load({ LAZARET_CONFIG: 'given.yaml', ...env })
}
const refusal = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof LazaretError, String(error))
    assert.equal(error.code, 'SETTING_INVALID')
    return error.message
  }
  throw new assert.AssertionError({ message: 'nothing was refused' })
}

test('nothing set gives the documented defaults', () => {
  const { sources, ...settings } = load({})
  assert.deepEqual(settings, {
    listen: { host: '127.0.0.1', port: 5000 },
    publicUrl: [],
    behindProxy: false,
    trustedProxies: [],
    data: join(folder, 'lazaret-data'),
    blobs: join(folder, 'lazaret-data', 'blobs'),
    policy: 'balanced',
    offline: false,
    log: 'info',
    public: [],
    repositories: [],
    bases: [],
    advisories: { sources: [], intervalSeconds: 21_600, trustedKeys: [] },
    audit: { keepDays: 0 },
    inUse: { days: 30 },
    gate: { waitSeconds: 20 },
    gc: { graceSeconds: 86_400, intervalSeconds: 3600 },
    scrub: { bytesPerSecond: 4_194_304 },
    disk: {},
    limits: { uploadsPerMinute: 0, uploadsPerMinutePerAddress: 0, openUploads: 10_000, headSeconds: 30, bodySeconds: 120 },
    stopSeconds: 20,
    uploads: { expireSeconds: 86_400 },
    metrics: {},
    tracing: { sampler: 'parentbased_traceidratio', sampleRatio: 1 },
    notes: [],
    network: { allowPrivate: [] },
  })
  assert.ok([...sources.values()].every((from) => from === 'default'))
  assert.equal(sources.size, settingPaths.length)
})

test('a path is its variable: dots and capitals become underscores', () => {
  assert.equal(variableOf('gate.waitSeconds'), 'LAZARET_GATE_WAIT_SECONDS')
  assert.equal(variableOf('publicUrl'), 'LAZARET_PUBLIC_URL')
  assert.equal(variableOf('tls.cert'), 'LAZARET_TLS_CERT')
  assert.equal(new Set(settingPaths.map(variableOf)).size, settingPaths.length)
})

test('the environment wins over the file, a flag over both, and each says where it came from', () => {
  const settings = loadSettings({
    env: { LAZARET_CONFIG: 'order.yaml', LAZARET_GATE_WAIT_SECONDS: '3', LAZARET_LOG: 'warn' },
    cwd: writeConfig('order.yaml', 'log: debug\ngate:\n  waitSeconds: 5\noffline: true\n'),
    flags: { log: 'error' },
  })
  assert.deepEqual([settings.gate.waitSeconds, settings.log, settings.offline], [3, 'error', true])
  assert.deepEqual(
    ['gate.waitSeconds', 'log', 'offline', 'data'].map((path) => settings.sources.get(path as 'log')),
    ['LAZARET_GATE_WAIT_SECONDS', '--log', 'order.yaml:4', 'default'],
  )
})

test('every setting can be set by its variable', () => {
  const given: Record<string, string> = {
    listen: '0.0.0.0:8443',
    publicUrl: 'https://a.example, https://b.example:8443/',
    'tls.cert': 'c.pem',
    'tls.key': '/k.pem',
    behindProxy: 'true',
    trustedProxies: '10.1.2.3, fd00::/8',
    data: 'd',
    database: 'postgres://u:pw@h/n',
    blobs: 'b',
    adminPassword: 'secret-1',
    policy: 'observe',
    offline: 'TRUE',
    log: 'silent',
    server: 'https://r.example',
    token: 'secret-2',
    username: 'ci',
    public: 'library/**,shop/api',
    bases: 'library/**, platform/node:20',
    repositories: '[{"match":"shop/**","owner":"team-shop","immutableTags":"v*"}]',
    'advisories.sources': 'osv, kev=https://mirror.example/kev.json',
    'advisories.ecosystems': 'npm,Alpine:v3.22',
    'advisories.intervalSeconds': '0',
    'advisories.trustedKeys': `ed25519:${'A'.repeat(43)}=`,
    'audit.keepDays': '365',
    'inUse.days': '7',
    'gate.waitSeconds': '0',
    'gc.graceSeconds': '1',
    'gc.intervalSeconds': '0',
    'scrub.bytesPerSecond': '0',
    'disk.lowWaterBytes': '0',
    'limits.uploadsPerMinute': '600',
    'limits.uploadsPerMinutePerAddress': '600',
    'limits.openUploads': '600',
    'limits.headSeconds': '10',
    'limits.bodySeconds': '60',
    stopSeconds: '5',
    'uploads.expireSeconds': '60',
    'metrics.listen': '[::]:9090',
    'tracing.endpoint': 'https://collector.example:4318',
    'tracing.headers': 'authorization=Bearer%20secret-3',
    'tracing.serviceName': 'registry',
    'tracing.resourceAttributes': 'deployment.environment.name=test',
    'tracing.sampler': 'always_on',
    'tracing.sampleRatio': '0.25',
    'network.allowPrivate': '10.0.0.0/8,fd00::1',
    'network.ca': 'ca.pem',
  }
  const settings = load(Object.fromEntries(Object.entries(given).map(([path, text]) => [variableOf(path), text])))
  assert.deepEqual(settings.listen, { host: '0.0.0.0', port: 8443 })
  assert.deepEqual(settings.publicUrl, ['https://a.example', 'https://b.example:8443'])
  assert.deepEqual(settings.tls, { cert: join(folder, 'c.pem'), key: '/k.pem' })
  assert.deepEqual([settings.data, settings.blobs], [join(folder, 'd'), join(folder, 'b')])
  assert.deepEqual(settings.public, ['library/**', 'shop/api'])
  assert.deepEqual(settings.bases, [{ pattern: 'library/**' }, { pattern: 'platform/node', tag: '20' }])
  assert.deepEqual(settings.advisories, {
    sources: [{ name: 'osv' }, { name: 'kev', base: 'https://mirror.example/kev.json' }],
    ecosystems: ['npm', 'Alpine:v3.22'],
    intervalSeconds: 0,
    trustedKeys: [`ed25519:${'A'.repeat(43)}=`],
  })
  assert.match(
    refusal(() => load({ LAZARET_ADVISORIES_TRUSTED_KEYS: 'ed25519:short' })),
    /^LAZARET_ADVISORIES_TRUSTED_KEYS must be a public key/,
  )
  for (const odd of [
    'osv=ftp://mirror.example',
    'kev=https://user:secret@mirror.example/',
    'nobody',
    'osv=https://mirror.example/?key=secret',
  ]) {
    const words = refusal(() => load({ LAZARET_ADVISORIES_SOURCES: odd }))
    assert.match(words, /^LAZARET_ADVISORIES_SOURCES must be /)
  }
  assert.deepEqual(settings.repositories, [{ match: 'shop/**', owner: 'team-shop', immutableTags: ['v*'] }])
  assert.deepEqual(settings.network, { allowPrivate: ['10.0.0.0/8', 'fd00::1/128'], ca: join(folder, 'ca.pem') })
  assert.deepEqual(settings.trustedProxies, ['10.1.2.3/32', 'fd00::/8'])
  assert.deepEqual(settings.metrics.listen, { host: '::', port: 9090 })
  const missing = settingPaths.filter((path) => given[path] === undefined)
  assert.deepEqual(missing, ['password'])
  assert.equal(load({ LAZARET_USERNAME: 'u', LAZARET_PASSWORD: 'p' }).password, 'p')
})

test('without a list only a proxy on this machine is believed, and a list means nothing without a proxy', () => {
  assert.deepEqual(load({ LAZARET_BEHIND_PROXY: 'true' }).trustedProxies, ['127.0.0.0/8', '::1/128'])
  assert.deepEqual(load({ LAZARET_BEHIND_PROXY: 'true', LAZARET_TRUSTED_PROXIES: '' }).trustedProxies, [])
  assert.match(
    refusal(() => load({ LAZARET_TRUSTED_PROXIES: '10.0.0.1' })),
    /^trustedProxies \(LAZARET_TRUSTED_PROXIES\) is set without behindProxy: true$/,
  )
  assert.match(
    refusal(() => load({ LAZARET_BEHIND_PROXY: 'true', LAZARET_TRUSTED_PROXIES: 'proxy.example' })),
    /^LAZARET_TRUSTED_PROXIES must be an address range such as 10\.20\.0\.0\/16, not "proxy\.example"$/,
  )
})

test('an empty variable is not set, save for a list, which it empties', () => {
  assert.equal(load({ LAZARET_LISTEN: '', LAZARET_TOKEN: '' }).sources.get('listen'), 'default')
  assert.deepEqual(withFile('public: ["**"]\n').public, ['**'])
  assert.deepEqual(withFile('public: ["**"]\n', { LAZARET_PUBLIC: '' }).public, [])
})

test('an unknown name is refused, and the nearest one suggested', () => {
  assert.match(
    refusal(() => load({ LAZARET_GATE_WAITSECONDS: '3' })),
    /^LAZARET_GATE_WAITSECONDS is not a setting, did you mean LAZARET_GATE_WAIT_SECONDS\?$/,
  )
  assert.match(
    refusal(() => load({ LAZARET_PORT: '8080' })),
    /^LAZARET_PORT is not a setting/,
  )
  assert.match(
    refusal(() => withFile('log: info\nlisten: a:1\nofline: true\n')),
    /^given\.yaml:3: ofline is not a setting, did you mean offline\?$/,
  )
  assert.match(
    refusal(() => withFile('gate:\n  waitSecond: 1\n')),
    /^given\.yaml:2: gate\.waitSecond is not a setting, did you mean gate\.waitSeconds\?$/,
  )
  assert.match(
    refusal(() => withFile('__proto__: { polluted: 1 }\n')),
    /^given\.yaml:1: __proto__ is not a setting$/,
  )
  assert.match(
    refusal(() => withFile('constructor: 1\n')),
    /^given\.yaml:1: constructor is not a setting/,
  )
})

test('names that a later version understands say so', () => {
  for (const name of ['notifiers', 'routes', 'schedules', 'registries']) {
    assert.equal(
      refusal(() => withFile(`${name}: []\n`)),
      `given.yaml:1: this version has no ${name} yet`,
    )
  }
  assert.match(
    refusal(() => load({ LAZARET_NOTIFIERS: 'x' })),
    /this version has no notifiers yet/,
  )
  assert.match(
    refusal(() => load({ LAZARET_POLICY: 'strict' })),
    /"strict" comes with a later release/,
  )
  assert.match(
    refusal(() => load({ LAZARET_POLICY: './policy.yaml' })),
    /a policy from a file comes with a later release/,
  )
  assert.match(
    refusal(() => load({ LAZARET_BLOBS: 's3://bucket/x?endpoint=y' })),
    /does not keep blobs in S3 yet/,
  )
})

test('what Kubernetes puts beside a service called lazaret is no setting', () => {
  const env = {
    LAZARET_SERVICE_HOST: '10.0.0.1',
    LAZARET_SERVICE_PORT: '5000',
    LAZARET_SERVICE_PORT_HTTP: '5000',
    LAZARET_PORT: 'tcp://10.0.0.1:5000',
    LAZARET_PORT_5000_TCP: 'tcp://10.0.0.1:5000',
    LAZARET_PORT_5000_TCP_ADDR: '10.0.0.1',
    LAZARET_METRICS_PORT: 'tcp://10.0.0.1:9090',
  }
  assert.equal(load(env).listen.port, 5000)
})

test('a wrong type names path, place and value', () => {
  assert.equal(
    refusal(() => withFile('gate:\n  waitSeconds: soon\n')),
    'given.yaml:2: gate.waitSeconds must be a whole number from 0 to 300, not "soon"',
  )
  assert.equal(
    refusal(() => load({ LAZARET_GATE_WAIT_SECONDS: '1e2' })),
    'LAZARET_GATE_WAIT_SECONDS must be a whole number from 0 to 300, not "1e2"',
  )
  assert.match(
    refusal(() => withFile('gate: { waitSeconds: 301 }\n')),
    /not 301$/,
  )
  assert.match(
    refusal(() => withFile('gate: 3\n')),
    /gate must be a map of gate\.waitSeconds$/,
  )
  assert.match(
    refusal(() => withFile('offline: yes\n')),
    /offline must be true or false, not "yes"$/,
  )
  assert.match(
    refusal(() => withFile('listen:\n')),
    /listen must be HOST:PORT.*not nothing$/,
  )
  assert.match(
    refusal(() => withFile('listen: 5000\n')),
    /not 5000$/,
  )
  assert.match(
    refusal(() => withFile('public: [{ a: 1 }]\n')),
    /not a map$/,
  )
  assert.match(
    refusal(() => withFile('public: ["UPPER"]\n')),
    /repository pattern/,
  )
  assert.match(
    refusal(() => withFile('log: verbose\n')),
    /one of trace, debug, info, warn, error, fatal, silent/,
  )
  for (const bad of ['300.1.1.1:5', 'h:65536', 'h', 'h:', '::1:5', '[::1:5', '[1.2.3.4]:5', 'a b:5', 'h:1x'])
    assert.match(
      refusal(() => load({ LAZARET_LISTEN: bad })),
      /LAZARET_LISTEN must be HOST:PORT/,
      bad,
    )
  for (const bad of ['registry.example', 'https://a/b', 'https://u:p@a', 'ftp://a', 'https://a?x', 'http://', 'https://a:99999'])
    assert.match(
      refusal(() => load({ LAZARET_PUBLIC_URL: bad })),
      /must be a URL/,
      bad,
    )
  for (const bad of ['10.0.0.0/33', '10.0.0/8', 'fd00::/129', '10.0.0.0/', '10.0.0.0/8/9', 'fe80::1%eth0', 'any'])
    assert.match(
      refusal(() => load({ LAZARET_NETWORK_ALLOW_PRIVATE: bad })),
      /must be an address range/,
      bad,
    )
  for (const bad of ['mysql://h/n', 'postgres://', 'records.sqlite'])
    assert.match(
      refusal(() => load({ LAZARET_DATABASE: bad })),
      /must be a URL postgres/,
      bad,
    )
})

test('every problem is told at once', () => {
  const message = refusal(() => withFile('ofline: 1\nlog: x\n', { LAZARET_LISTEN: 'x' }))
  assert.equal(message.split('; ').length, 3, message)
})

test('listening beyond loopback needs TLS or a proxy that does it', () => {
  for (const listen of ['0.0.0.0:5000', ':5000', '10.0.0.1:5000', 'registry.example:5000', '[::]:5000', '127.0.0.1.example:5']) {
    assert.match(
      refusal(() => load({ LAZARET_LISTEN: listen })),
      /needs tls\.cert and tls\.key, or behindProxy/,
      listen,
    )
    assert.ok(loadSettings({ env: { LAZARET_LISTEN: listen }, cwd: folder, listens: false }), listen)
    assert.ok(load({ LAZARET_LISTEN: listen, LAZARET_BEHIND_PROXY: 'true' }))
    assert.ok(load({ LAZARET_LISTEN: listen, LAZARET_TLS_CERT: 'c', LAZARET_TLS_KEY: 'k' }))
  }
  for (const listen of ['127.0.0.1:0', '127.9.9.9:1', 'localhost:5000', '[::1]:5000']) assert.ok(load({ LAZARET_LISTEN: listen }), listen)
  assert.match(
    refusal(() => load({ LAZARET_LISTEN: ':5000', LAZARET_TLS_CERT: 'c' })),
    /tls\.cert is set without tls\.key/,
  )
  assert.match(
    refusal(() => load({ LAZARET_TLS_KEY: 'k' })),
    /tls\.key is set without tls\.cert/,
  )
})

test('the names that clients use follow the listen address', () => {
  assert.deepEqual(publicUrls(load({})), ['http://127.0.0.1:5000', 'http://localhost:5000'])
  assert.deepEqual(publicUrls(load({ LAZARET_LISTEN: '127.0.0.1:0' }), 4711), ['http://127.0.0.1:4711', 'http://localhost:4711'])
  assert.deepEqual(
    publicUrls(load({ LAZARET_LISTEN: ':443', LAZARET_TLS_CERT: 'c', LAZARET_TLS_KEY: 'k' }))[0],
    `https://${hostname().toLowerCase()}`,
  )
  assert.deepEqual(publicUrls(load({ LAZARET_PUBLIC_URL: 'https://r.example' })), ['https://r.example'])
})

test('described settings stand in one order, with the names in force', () => {
  const described = describeSettings(load({}))
  assert.deepEqual(
    described.map(({ path }) => path),
    settingPaths,
  )
  assert.deepEqual(described[0], { path: 'listen', variable: 'LAZARET_LISTEN', value: '127.0.0.1:5000', from: 'default' })
  assert.equal(settingRows(described).length, settingPaths.length)
})

test('paths in a file start from its folder, others from the working folder', () => {
  mkdirSync(join(folder, 'etc'), { recursive: true })
  writeConfig('etc/here.yaml', 'data: ./d\n')
  assert.equal(load({ LAZARET_CONFIG: 'etc/here.yaml' }).data, join(folder, 'etc', 'd'))
  assert.equal(load({ LAZARET_CONFIG: 'etc/here.yaml', LAZARET_DATA: './d' }).data, join(folder, 'd'))
})

function writeConfig(name: string, yaml: string): string {
  writeFileSync(join(folder, name), yaml)
  return folder
}
