import { isAbsolute, resolve } from 'node:path'
import { type ChosenSource, isSourceName, sourceNames } from '../../model/advisory-sources.ts'
import { parseBasePattern, showBasePattern } from '../../model/base.ts'
import { isRepositoryPattern } from '../../model/names.ts'
import { repositoryRules } from './repository-rules.ts'
import { samplers } from '../tracing/sampler.ts'
import { parseKeyValues } from './key-values.ts'
import { integer, type Kind, listOf, Misfit, oneOf, ratio, text, yesOrNo } from './kinds.ts'
import { parseAddress, parseCollector, parseOrigin, parseRange, showAddress } from './network.ts'
import { secret } from './secret.ts'

// Everything about a setting stands here once: the loader, the JSON schema and docs/settings.md are made from it.
// No schema library: loading one takes 120 ms, and `lazaret --help` has 90.

export interface Setting<T> {
  kind: Kind<T>
  /** As YAML would write it; absent where the setting stays unset. */
  default?: string | number | boolean
  /** What stands in the documentation's "default" column where the default is not a fixed value. */
  defaultWords?: string
  says: string
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

const address = text('HOST:PORT, [IPV6]:PORT or :PORT', parseAddress, showAddress)
const origin = text('a URL such as https://registry.example, without a path', parseOrigin, String, { format: 'uri' })
const path = text(
  'a path',
  (given, place) => (given === '' || given.includes('\0') ? undefined : isAbsolute(given) ? given : resolve(place.folder, given)),
  String,
)
const repositoryPattern = text('a repository pattern such as shop/**', (given) => (isRepositoryPattern(given) ? given : undefined), String)
const basePattern = text('a base such as library/**, library/debian:12 or NAME@DIGEST', parseBasePattern, showBasePattern)
const range = text('an address range such as 10.20.0.0/16', parseRange, String)
const name = text('text of 1 to 255 characters in one line', (given) => (/^[^\n\r\0]{1,255}$/.test(given) ? given : undefined), String)

const collector = text('an http or https URL such as http://localhost:4318', wantCollector, String, { format: 'uri' })
const keyValues = text('name=value,name=value', (given) => (parseKeyValues(given) === undefined ? undefined : given), String)

const advisorySource = text(`a source of advisories (${sourceNames.join(', ')}), or NAME=URL for a mirror of one`, wantSource, showSource)
const ecosystem = text(
  'an ecosystem of OSV such as npm, Debian or Alpine:v3.22',
  (given) => (/^[A-Za-z][A-Za-z0-9. -]{0,60}(?::[A-Za-z0-9._-]{1,60})?$/.test(given) ? given : undefined),
  String,
)

const publicKey = text(
  'a public key such as ed25519:BASE64',
  (given) => (/^ed25519:[A-Za-z0-9+/]{43}=$/.test(given) ? given : undefined),
  String,
)

const policy = text('observe or balanced', namedPolicy, String, { enum: ['observe', 'balanced'] })
const database = text(
  'a URL postgres://USER@HOST/NAME',
  (given) => (/^postgres(?:ql)?:\/\/./.test(given) && URL.canParse(given) ? given : undefined),
  maskPassword,
)
const blobs = text(
  'a folder',
  (given, place) => {
    if (/^s3:/i.test(given)) throw new Misfit('a folder: this version does not keep blobs in S3 yet')
    return given === '' || given.includes('\0') || /^[a-z0-9+.-]+:\/\//i.test(given) ? undefined : resolve(place.folder, given)
  },
  String,
)

export const catalogue = {
  listen: setting(address, {
    default: '127.0.0.1:5000',
    says: 'Address of the registry. Another one than loopback needs TLS, or `behindProxy: true`.',
  }),
  publicUrl: setting(listOf(origin, 16), {
    defaultWords: 'the listen address, with `localhost` and `127.0.0.1` as equals',
    says: 'The names that clients use: the token realm is on the one that was asked, links are made with the first.',
  }),
  'tls.cert': setting(path, { says: 'Certificate chain, PEM. Read again when the file changes.' }),
  'tls.key': setting(path, { says: 'Private key of the certificate, PEM. Read again when the file changes.' }),
  behindProxy: setting(yesOrNo, {
    default: false,
    says: 'A proxy in front does TLS. Its `X-Forwarded-` headers are believed where it is one of `trustedProxies`.',
  }),
  trustedProxies: setting(listOf(range, 64), {
    defaultWords: '`127.0.0.0/8,::1/128` with `behindProxy`',
    says: 'Addresses and ranges of the proxies in front whose `X-Forwarded-For`, `-Proto` and `-Host` count; those of anyone else change nothing.',
  }),
  data: setting(path, { default: './lazaret-data', says: 'Folder for records, blobs, advisory data and keys; mode 0700.' }),
  database: setting(database, { defaultWords: 'SQLite in the data folder', says: 'PostgreSQL for the records: `postgres://…`.' }),
  blobs: setting(blobs, { defaultWords: '`blobs` in the data folder', says: 'Folder for the blobs.' }),
  adminPassword: setting(secret, {
    defaultWords: 'generated',
    says: 'Password of the user `admin`. A generated one is printed once and kept in `admin-password`, mode 0600, in the data folder.',
  }),
  policy: setting(policy, {
    default: 'balanced',
    says: '`observe` judges and shows, and refuses nothing; `balanced` refuses what is malicious, known exploited, critical with a fix, unreadable or unsupported.',
  }),
  offline: setting(yesOrNo, { default: false, says: 'No outgoing connection at all.' }),
  log: setting(oneOf(...logLevels), { default: 'info', says: 'Least severe level that is written.' }),
  server: setting(origin, { defaultWords: 'what `lazaret login` kept', says: 'Server that commands ask.' }),
  token: setting(secret, { defaultWords: 'what `lazaret login` kept', says: 'Token for that server.' }),
  username: setting(name, { defaultWords: 'what `lazaret login` kept', says: 'User or robot for that server.' }),
  password: setting(secret, {
    defaultWords: 'what `lazaret login` kept',
    says: 'Password, or a robot’s token, that goes with the user name.',
  }),
  public: setting(listOf(repositoryPattern), { defaultWords: 'none', says: 'Repository patterns that anyone may pull, through the gate.' }),
  repositories: setting(repositoryRules, {
    defaultWords: 'none',
    says: 'Settings of repositories by pattern: a list of `{ match, owner, contact, labels, environment, visibility, immutableTags }`. The most specific pattern wins, key by key. In the variable as JSON.',
  }),
  bases: setting(listOf(basePattern), {
    defaultWords: 'none',
    says: 'Images that are bases of others: repository patterns, alone or with `:TAG` or `@DIGEST`. Of several images with the same layers one of these is named as the base.',
  }),
  'advisories.sources': setting(listOf(advisorySource, 16), {
    defaultWords: 'none: nothing is fetched',
    says: `Sources of advisories that are asked by themselves: ${sourceNames.map((one) => `\`${one}\``).join(', ')}; \`NAME=URL\` asks a mirror. With \`offline\` none is.`,
  }),
  'advisories.ecosystems': setting(listOf(ecosystem, 200), {
    defaultWords: 'those that images have packages of, or that are judged already',
    says: 'What is asked for of sources that go by ecosystem: `npm`, `Debian`, `Alpine:v3.22`.',
  }),
  'advisories.intervalSeconds': setting(integer(0, 31_536_000), {
    default: 21_600,
    says: 'How long after one look at the sources the next begins by itself; 0: only when it is asked for.',
  }),
  'advisories.trustedKeys': setting(listOf(publicKey, 64), {
    defaultWords: 'none',
    says: 'Whose signed exports of advisories are taken: public keys as `lazaret advisories key` prints them. The key of this installation is trusted besides.',
  }),
  'audit.keepDays': setting(integer(0, 36_500), {
    default: 0,
    says: 'How many days the audit log goes back; 0: for ever. What is cut away leaves an anchor, from which the rest still verifies.',
  }),
  'inUse.days': setting(integer(1, 3650), { default: 30, says: 'An image is in use that was pulled within so many days.' }),
  'gate.waitSeconds': setting(integer(0, 300), { default: 20, says: 'How long a pull waits for an image that is still being examined.' }),
  'gc.graceSeconds': setting(integer(0, 31_536_000), {
    default: 86_400,
    says: 'How long a blob that no manifest holds is kept, and a deleted manifest can be put back. Longer than the longest push.',
  }),
  'gc.intervalSeconds': setting(integer(0, 31_536_000), {
    default: 3600,
    says: 'How long after one collection of what nothing needs the next begins by itself; 0: only when it is asked for.',
  }),
  'scrub.bytesPerSecond': setting(integer(0, 10_000_000_000), {
    default: 4_194_304,
    says: 'How fast stored blobs are read again, each once a week, to see that their bytes are still those of their digest; 0: never.',
  }),
  'disk.lowWaterBytes': setting(integer(0, 1_000_000_000_000_000), {
    defaultWords: '1 GiB, or a twentieth of the volume where that is less',
    says: 'With less room than this left on the volume of the data or the blobs, pushes are refused and pulls go on; 0: only a full disk refuses.',
  }),
  'limits.uploadsPerMinute': setting(integer(0, 1_000_000), {
    default: 0,
    says: 'How many blob uploads each user or robot may begin in a minute, mounts included; 0: as many as it likes.',
  }),
  'limits.uploadsPerMinutePerAddress': setting(integer(0, 1_000_000), {
    default: 0,
    says: 'The same for each address (IPv6: each /64), whoever is signed in there; 0: as many as it likes.',
  }),
  'limits.openUploads': setting(integer(1, 10_000_000), {
    default: 10_000,
    says: 'How many uploads may be begun and not ended at one time, of all users together.',
  }),
  'limits.headSeconds': setting(integer(1, 300), {
    default: 30,
    says: 'How long the head of a request, or a TLS handshake, may take to come.',
  }),
  'limits.bodySeconds': setting(integer(1, 3600), {
    default: 120,
    says: 'A body that brings less than 500 bytes a second over so many seconds is given up. How long the whole of it takes has no limit.',
  }),
  stopSeconds: setting(integer(0, 3600), {
    default: 20,
    says: 'How long requests under way may still take when the server is told to stop.',
  }),
  'uploads.expireSeconds': setting(integer(60, 31_536_000), { default: 86_400, says: 'How long an upload may lie idle.' }),
  'metrics.listen': setting(address, {
    defaultWords: 'the registry’s own address',
    says: 'Address of a listener for `/metrics` alone, without TLS and sign-in; the registry’s own address then has none.',
  }),
  'tracing.endpoint': setting(collector, {
    defaultWords: 'none: no traces',
    says: 'Where traces go, as OTLP by HTTP in its JSON form: a URL, `/v1/traces` where it has no path. Else OTEL_EXPORTER_OTLP_ENDPOINT.',
  }),
  'tracing.headers': setting(secret, {
    defaultWords: 'none',
    says: 'Headers for that collector, `name=value,…`, percent-encoded. Else OTEL_EXPORTER_OTLP_HEADERS.',
  }),
  'tracing.serviceName': setting(name, {
    defaultWords: '`lazaret`',
    says: 'What the traces call this server. Else OTEL_SERVICE_NAME.',
  }),
  'tracing.resourceAttributes': setting(keyValues, {
    defaultWords: 'none',
    says: 'What else they say of it, `name=value,…`, percent-encoded. Else OTEL_RESOURCE_ATTRIBUTES.',
  }),
  'tracing.sampler': setting(oneOf(...samplers), {
    default: 'parentbased_traceidratio',
    says: 'Which traces go out. By a parent: as the request’s `traceparent` says, where it has one. Else OTEL_TRACES_SAMPLER.',
  }),
  'tracing.sampleRatio': setting(ratio, {
    default: 1,
    says: 'Part of the traces that go out, where the sampler is by ratio. Else OTEL_TRACES_SAMPLER_ARG.',
  }),
  'network.allowPrivate': setting(listOf(range), {
    defaultWords: 'none',
    says: 'Address ranges inside private networks that the answers of other servers may lead to, by a redirect or a sign-in. What was named itself is always asked.',
  }),
  'network.ca': setting(path, {
    defaultWords: 'none',
    says: 'Certificates of authorities, PEM, that are trusted beside the usual ones by every outgoing connection. Read at the start.',
  }),
}

export type SettingPath = keyof typeof catalogue
export type ValueAt<P extends SettingPath> = (typeof catalogue)[P] extends Setting<infer T> ? T : never

export const settingPaths = Object.keys(catalogue) as SettingPath[]

/** Names in `lazaret.yaml` that later versions understand. */
export const laterNames: readonly string[] = ['notifiers', 'routes', 'schedules', 'registries']

export function isSettingPath(given: string): given is SettingPath {
  return Object.hasOwn(catalogue, given)
}

/** `gate.waitSeconds` → `LAZARET_GATE_WAIT_SECONDS`. */
export function variableOf(given: string): string {
  return `LAZARET_${given
    .replaceAll('.', '_')
    .replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, '_')
    .toUpperCase()}`
}

function setting<T>(kind: Kind<T>, rest: Omit<Setting<T>, 'kind'>): Setting<T> {
  return { kind, ...rest }
}

/** A user or a query may hold what is secret, and errors are printed. */
function wantCollector(given: string): string | undefined {
  if (/[?#@]/.test(given)) throw new Misfit('an http or https URL without user and query: keys go into tracing.headers')
  return parseCollector(given)
}

/** In: `osv`, or `osv=https://mirror.example/osv`. Keys in a URL would be printed, so there is no place for them. */
function wantSource(given: string): ChosenSource | undefined {
  const [, name = '', base] = /^([a-z]{1,20})(?:=(\S+))?$/.exec(given) ?? []
  if (!isSourceName(name)) return undefined
  if (base === undefined) return { name }
  if (!/^https?:\/\/[^\s,?#@\\]+$/.test(base) || !URL.canParse(base))
    throw new Misfit(`${name}=URL with an http or https URL, without user and query`)
  return { name, base }
}

function showSource({ name, base }: ChosenSource): string {
  return base === undefined ? name : `${name}=${base}`
}

function namedPolicy(given: string): 'observe' | 'balanced' | undefined {
  if (given === 'observe' || given === 'balanced') return given
  if (given === 'strict') throw new Misfit('observe or balanced: the policy "strict" comes with a later release')
  if (/[./]/.test(given)) throw new Misfit('observe or balanced: a policy from a file comes with a later release')
  return undefined
}

function maskPassword(given: string): string {
  const url = new URL(given)
  if (url.password !== '') url.password = '********'
  const secretKeys = Array.from(url.searchParams.keys()).filter((key) => /password|secret|token/i.test(key))
  for (const key of secretKeys) url.searchParams.set(key, '********')
  return url.href
}
