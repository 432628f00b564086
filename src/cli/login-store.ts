import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { LazaretError } from '../kit/errors.ts'

// Credentials are where Docker keeps them, so that `docker login` and `lazaret login` know each other:
//   $DOCKER_CONFIG/config.json    {"auths": {"HOST": {"auth": base64(NAME:PASSWORD)}}}
//   $XDG_CONFIG_HOME/lazaret/server    the server of the last `lazaret login`

export interface Login {
  server: string
  username: string
  password: string
}

type Env = Readonly<Record<string, string | undefined>>

/** In: the server that is asked, or undefined for that of the last login. Out: what was kept for it. */
export async function keptLogin(server: string | undefined, env: Env): Promise<Login | undefined> {
  const wanted = server ?? (await readOptional(serverFile(env)))?.trim()
  if (wanted === undefined || wanted === '') return undefined
  const text = await readOptional(dockerConfigFile(env))
  if (text === undefined) return undefined
  const credentials = credentialsFor(new URL(wanted).host, text, dockerConfigFile(env))
  return credentials === undefined ? undefined : { server: wanted, ...credentials }
}

export function dockerConfigFile(env: Env): string {
  return join(env['DOCKER_CONFIG'] ?? join(env['HOME'] ?? homedir(), '.docker'), 'config.json')
}

export function serverFile(env: Env): string {
  return join(env['XDG_CONFIG_HOME'] ?? join(env['HOME'] ?? homedir(), '.config'), 'lazaret', 'server')
}

function credentialsFor(host: string, text: string, path: string): { username: string; password: string } | undefined {
  let config: { auths?: Record<string, { auth?: unknown } | undefined> } | null
  try {
    config = JSON.parse(text) as typeof config
  } catch (cause) {
    throw new LazaretError('SETTING_INVALID', `${path} is not JSON`, { cause })
  }
  const auth = config?.auths?.[host]?.auth ?? config?.auths?.[`https://${host}`]?.auth
  if (typeof auth !== 'string') return undefined
  const decoded = Buffer.from(auth, 'base64').toString('utf8')
  const colon = decoded.indexOf(':')
  return colon < 0 ? undefined : { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) }
}

async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
