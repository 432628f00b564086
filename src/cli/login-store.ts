import { rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { eraseByHelper, getByHelper, storeByHelper } from './credential-helper.ts'
import {
  credentialsIn,
  helperFor,
  readDockerConfig,
  withCredentials,
  withoutCredentials,
  writeDockerConfig,
  type Credentials,
  type DockerConfig,
  type Env,
} from './docker-config.ts'
import { readOptional, replaceFile } from './whole-file.ts'

// Credentials are where Docker keeps them, so that `docker login` and `lazaret login` know each other. Beside them:
//   $XDG_CONFIG_HOME/lazaret/server    the server of the last `lazaret login`

export interface Login extends Credentials {
  server: string
}

/** Out: the server of the last `lazaret login`. */
export async function keptServer(env: Env): Promise<string | undefined> {
  const text = (await readOptional(serverFile(env)))?.trim()
  return text === undefined || text === '' || !URL.canParse(text) ? undefined : new URL(text).origin
}

/** In: the server that is asked. Out: what is kept for it. Throws SETTING_INVALID, UNAVAILABLE where a helper fails. */
export async function keptLogin(server: string, env: Env): Promise<Login | undefined> {
  const config = await readDockerConfig(env)
  const { host } = new URL(server)
  const credentials = (await fromHelpers(config, host, env)) ?? credentialsIn(config, host)
  return credentials === undefined ? undefined : { server, ...credentials }
}

/** Docker keeps those of its Hub under this name, with helpers too: docker/cli, `registry.IndexServer`. */
const hub = 'https://index.docker.io/v1/'

async function fromHelpers(config: DockerConfig, host: string, env: Env): Promise<Credentials | undefined> {
  for (const name of host === 'index.docker.io' ? [hub, host] : [host]) {
    const helper = helperFor(config, name)
    const found = helper === undefined ? undefined : await getByHelper(helper, name, env)
    if (found !== undefined) return found
  }
  return undefined
}

/** Keeps a login, and the server as the one to ask. Out: where the credentials went: a helper's name, or the file's path. */
export async function keepLogin({ server, ...credentials }: Login, env: Env): Promise<{ helper: string } | { file: string }> {
  const config = await readDockerConfig(env)
  const { host } = new URL(server)
  const helper = helperFor(config, host)
  if (helper !== undefined) await storeByHelper(helper, host, credentials, env)
  await writeDockerConfig(withCredentials(config, host, helper === undefined ? credentials : undefined))
  await replaceFile(serverFile(env), `${server}\n`)
  return helper === undefined ? { file: config.path } : { helper }
}

/** Out: whether anything was kept for the server. */
export async function forgetLogin(server: string, env: Env): Promise<boolean> {
  const config = await readDockerConfig(env)
  const { host } = new URL(server)
  const helper = helperFor(config, host)
  const had = helper === undefined ? false : await eraseByHelper(helper, host, env)
  const without = withoutCredentials(config, host)
  if (without !== undefined) await writeDockerConfig(without)
  if ((await keptServer(env)) === server) await rm(serverFile(env), { force: true })
  return had || without !== undefined
}

function serverFile(env: Env): string {
  const config = env['XDG_CONFIG_HOME'] === '' ? undefined : env['XDG_CONFIG_HOME']
  return join(config ?? join(env['HOME'] ?? homedir(), '.config'), 'lazaret', 'server')
}
