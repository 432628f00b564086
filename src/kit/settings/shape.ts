import { hostname } from 'node:os'
import { join } from 'node:path'
import type { ChosenSource } from '../../model/advisory-sources.ts'
import type { BasePattern } from '../../model/base.ts'
import type { RepositoryRule } from '../../model/repository-settings.ts'
import type { SamplerName } from '../tracing/sampler.ts'
import type { logLevels, SettingPath } from './catalogue.ts'
import type { Getter } from './given.ts'
import { type Address, isWildcard, showAddress } from './network.ts'

/** Every setting, read and trusted: paths absolute, URLs as origins, durations in seconds. */
export interface Settings {
  listen: Address
  /** As set; empty where unset. Who needs names asks `publicUrls`. */
  publicUrl: string[]
  tls?: { cert: string; key: string }
  behindProxy: boolean
  /** Ranges as `ADDRESS/PREFIX`; empty without `behindProxy`. */
  trustedProxies: string[]
  data: string
  /** A `postgres://` URL; absent for SQLite in the data folder. */
  database?: string
  /** Folder of the blobs. */
  blobs: string
  adminPassword?: string
  policy: 'observe' | 'balanced'
  offline: boolean
  log: (typeof logLevels)[number]
  server?: string
  token?: string
  username?: string
  password?: string
  /** Repository patterns that anyone may pull. */
  public: string[]
  /** Settings of repositories that are declared. */
  repositories: RepositoryRule[]
  /** What is declared to be the base of others. */
  bases: BasePattern[]
  advisories: {
    /** Empty where nothing is fetched. */
    sources: ChosenSource[]
    /** Absent to go by what images hold. */
    ecosystems?: string[]
    /** 0: only when it is asked for. */
    intervalSeconds: number
    /** `ed25519:BASE64` each. */
    trustedKeys: string[]
  }
  /** 0: for ever. */
  audit: { keepDays: number }
  inUse: { days: number }
  gate: { waitSeconds: number }
  gc: { graceSeconds: number; intervalSeconds: number }
  scrub: { bytesPerSecond: number }
  disk: { lowWaterBytes?: number }
  limits: {
    uploadsPerMinute: number
    uploadsPerMinutePerAddress: number
    openUploads: number
    headSeconds: number
    bodySeconds: number
  }
  stopSeconds: number
  uploads: { expireSeconds: number }
  metrics: { listen?: Address }
  tracing: {
    /** Of the collector, with its path; absent where nothing is traced. */
    endpoint?: string
    /** `name=value,…`. */
    headers?: string
    serviceName?: string
    /** `name=value,…`. */
    resourceAttributes?: string
    sampler: SamplerName
    /** 0 to 1. */
    sampleRatio: number
  }
  /** Ranges as `ADDRESS/PREFIX`. */
  network: { allowPrivate: string[]; ca?: string }
  /** What was set for many programs and can't be used here, in words. */
  notes: readonly string[]
  /** The settings file in force, where there is one. */
  configFile?: string
  /** By path: `default`, `lazaret.yaml:3`, the variable's name, or the flag. */
  sources: ReadonlyMap<SettingPath, string>
}

/** A proxy on this machine: nobody else can pretend to be it. */
const loopbackRanges = ['127.0.0.0/8', '::1/128']

export function assemble(
  get: Getter,
  sources: ReadonlyMap<SettingPath, string>,
  configFile: string | undefined,
  notes: readonly string[],
): Settings {
  const data = held(get('data'))
  const [cert, key] = [get('tls.cert'), get('tls.key')]
  const metrics = get('metrics.listen')
  return {
    listen: held(get('listen')),
    publicUrl: get('publicUrl') ?? [],
    ...(cert !== undefined && key !== undefined && { tls: { cert, key } }),
    behindProxy: held(get('behindProxy')),
    trustedProxies: get('trustedProxies') ?? (get('behindProxy') === true ? loopbackRanges : []),
    data,
    ...optional('database', get('database')),
    blobs: get('blobs') ?? join(data, 'blobs'),
    ...optional('adminPassword', get('adminPassword')),
    policy: held(get('policy')),
    offline: held(get('offline')),
    log: held(get('log')),
    ...optional('server', get('server')),
    ...optional('token', get('token')),
    ...optional('username', get('username')),
    ...optional('password', get('password')),
    public: get('public') ?? [],
    repositories: get('repositories') ?? [],
    bases: get('bases') ?? [],
    advisories: {
      sources: get('advisories.sources') ?? [],
      ...optional('ecosystems', get('advisories.ecosystems')),
      intervalSeconds: held(get('advisories.intervalSeconds')),
      trustedKeys: get('advisories.trustedKeys') ?? [],
    },
    audit: { keepDays: held(get('audit.keepDays')) },
    inUse: { days: held(get('inUse.days')) },
    gate: { waitSeconds: held(get('gate.waitSeconds')) },
    gc: { graceSeconds: held(get('gc.graceSeconds')), intervalSeconds: held(get('gc.intervalSeconds')) },
    scrub: { bytesPerSecond: held(get('scrub.bytesPerSecond')) },
    disk: { ...optional('lowWaterBytes', get('disk.lowWaterBytes')) },
    limits: {
      uploadsPerMinute: held(get('limits.uploadsPerMinute')),
      uploadsPerMinutePerAddress: held(get('limits.uploadsPerMinutePerAddress')),
      openUploads: held(get('limits.openUploads')),
      headSeconds: held(get('limits.headSeconds')),
      bodySeconds: held(get('limits.bodySeconds')),
    },
    stopSeconds: held(get('stopSeconds')),
    uploads: { expireSeconds: held(get('uploads.expireSeconds')) },
    metrics: { ...optional('listen', metrics) },
    tracing: {
      ...optional('endpoint', get('tracing.endpoint')),
      ...optional('headers', get('tracing.headers')),
      ...optional('serviceName', get('tracing.serviceName')),
      ...optional('resourceAttributes', get('tracing.resourceAttributes')),
      sampler: held(get('tracing.sampler')),
      sampleRatio: held(get('tracing.sampleRatio')),
    },
    network: { allowPrivate: get('network.allowPrivate') ?? [], ...optional('ca', get('network.ca')) },
    notes,
    ...optional('configFile', configFile),
    sources,
  }
}

/**
 * In: the settings and the port that was bound (`listen` may ask for any). Out: the origins that clients use, the first for
 * links: those set, else the listen address with `localhost` and `127.0.0.1` as its equals.
 */
export function publicUrls(settings: Pick<Settings, 'publicUrl' | 'listen' | 'tls'>, port = settings.listen.port): string[] {
  if (settings.publicUrl.length > 0) return settings.publicUrl
  const scheme = settings.tls === undefined ? 'http' : 'https'
  const { host } = settings.listen
  const hosts = new Set([isWildcard(host) ? hostname() : host, '127.0.0.1', 'localhost'])
  return [...hosts].map((name) => new URL(`${scheme}://${showAddress({ host: name, port })}`).origin)
}

function optional<const K extends string, T>(key: K, value: T | undefined): { [name in K]?: T } {
  return (value === undefined ? {} : { [key]: value }) as { [name in K]?: T }
}

function held<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('a setting with a default has no value')
  return value
}
