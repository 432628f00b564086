import { homedir } from 'node:os'
import { join } from 'node:path'
import { LazaretError } from '../kit/errors.ts'
import { readOptional, replaceFile } from './whole-file.ts'

// docker/cli, cli/config/configfile: what of it concerns credentials.
//   auths        {HOST: {auth: base64(NAME:PASSWORD)}}; empty where a helper has them
//   credHelpers  {HOST: HELPER}, for this host
//   credsStore   HELPER, for all others

export type Env = Readonly<Record<string, string | undefined>>

export interface DockerConfig {
  readonly path: string
  /** All of it, also what is not ours. */
  readonly content: Readonly<Record<string, unknown>>
}

export interface Credentials {
  username: string
  password: string
}

const mostBytes = 4 * 1024 * 1024

export function dockerConfigFile(env: Env): string {
  return join(given(env, 'DOCKER_CONFIG') ?? join(given(env, 'HOME') ?? homedir(), '.docker'), 'config.json')
}

/** Out: the file as it is, or empty where there is none. Throws SETTING_INVALID where it isn't what Docker writes. */
export async function readDockerConfig(env: Env): Promise<DockerConfig> {
  const path = dockerConfigFile(env)
  const text = await readOptional(path)
  if (text === undefined || text.trim() === '') return { path, content: {} }
  if (text.length > mostBytes) throw new LazaretError('SETTING_INVALID', `${path} is larger than ${mostBytes} bytes`)
  const content = parsed(text, path)
  if (!isObject(content)) throw new LazaretError('SETTING_INVALID', `${path} is not a JSON object`)
  return { path, content }
}

export async function writeDockerConfig({ path, content }: DockerConfig): Promise<void> {
  await replaceFile(path, `${JSON.stringify(content, null, '\t')}\n`)
}

/** In: `HOST[:PORT]`. Out: the credential helper for it, undefined where the file itself keeps them. Throws SETTING_INVALID for a name that is a path. */
export function helperFor({ path, content }: DockerConfig, host: string): string | undefined {
  const own = member(content['credHelpers'], host)
  const helper = own === undefined ? content['credsStore'] : own
  if (helper === undefined || helper === '') return undefined
  if (typeof helper === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(helper)) return helper
  throw new LazaretError('SETTING_INVALID', `${path} names a credential helper for ${host} that is not a name`)
}

/** Out: what the file itself keeps for a host, under any of the forms in which clients write it. */
export function credentialsIn({ content }: DockerConfig, host: string): Credentials | undefined {
  for (const key of keysOf(host)) {
    const auth = member(member(content['auths'], key), 'auth')
    if (typeof auth !== 'string') continue
    const text = Buffer.from(auth, 'base64').toString('utf8')
    const colon = text.indexOf(':')
    if (colon > 0) return { username: text.slice(0, colon), password: text.slice(colon + 1) }
  }
  return undefined
}

/** Out: the same with credentials for the host; an empty entry, as Docker leaves one, where a helper has them. */
export function withCredentials(config: DockerConfig, host: string, credentials: Credentials | undefined): DockerConfig {
  const auth = credentials === undefined ? {} : { auth: Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64') }
  return withAuths(config, { ...withoutHost(config, host), [host]: auth })
}

/** Out: the same without the host, or undefined where it holds none. */
export function withoutCredentials(config: DockerConfig, host: string): DockerConfig | undefined {
  const auths = withoutHost(config, host)
  return Object.keys(auths).length === Object.keys(authsOf(config)).length ? undefined : withAuths(config, auths)
}

function withAuths({ path, content }: DockerConfig, auths: Record<string, unknown>): DockerConfig {
  return { path, content: { ...content, auths } }
}

function withoutHost(config: DockerConfig, host: string): Record<string, unknown> {
  const keys = keysOf(host)
  return Object.fromEntries(Object.entries(authsOf(config)).filter(([key]) => !keys.includes(key)))
}

function authsOf({ path, content }: DockerConfig): Record<string, unknown> {
  const auths = content['auths'] ?? {}
  if (isObject(auths)) return auths
  throw new LazaretError('SETTING_INVALID', `auths in ${path} is not an object`)
}

function keysOf(host: string): string[] {
  return [host, ...['https', 'http'].flatMap((scheme) => ['', '/', '/v1/', '/v2/'].map((path) => `${scheme}://${host}${path}`))]
}

function parsed(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new LazaretError('SETTING_INVALID', `${path} is not JSON`, { cause })
  }
}

function member(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function given(env: Env, name: string): string | undefined {
  return env[name] === '' ? undefined : env[name]
}
