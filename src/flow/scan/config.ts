// What an image is started with.

/** As the config has it, bounded; what it does not say is absent. OCI image-spec, config.md, "config". */
export interface ImageConfig {
  os?: string
  architecture?: string
  created?: string
  user?: string
  entrypoint?: string[]
  command?: string[]
  workingFolder?: string
  ports?: string[]
  /** Names alone: values may be secrets. */
  environment?: string[]
  labels?: Record<string, string>
}

const mostItems = 1000
const mostText = 4096

/** In: the bytes of a config. Out: what it says; nothing where it is no JSON object. Throws nothing. */
export function describeConfig(bytes: Buffer): ImageConfig {
  const top = objectOf(parsed(bytes))
  const config = objectOf(top['config'])
  const found: ImageConfig = {
    ...text('os', top['os']),
    ...text('architecture', top['architecture']),
    ...text('created', top['created']),
    ...text('user', config['User']),
    ...list('entrypoint', config['Entrypoint']),
    ...list('command', config['Cmd']),
    ...text('workingFolder', config['WorkingDir']),
    ...list('ports', Object.keys(objectOf(config['ExposedPorts']))),
    ...list('environment', namesIn(config['Env'])),
  }
  const labels = Object.entries(objectOf(config['Labels'])).flatMap(([key, value]) =>
    typeof value === 'string' ? [[cut(key), cut(value)]] : [],
  )
  return labels.length === 0 ? found : { ...found, labels: Object.fromEntries(labels.slice(0, mostItems)) as Record<string, string> }
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}

function namesIn(env: unknown): string[] {
  return Array.isArray(env) ? env.flatMap((one) => (typeof one === 'string' ? [one.split('=', 1)[0] ?? ''] : [])) : []
}

function text<K extends string>(key: K, value: unknown): { [key in K]?: string } {
  return typeof value === 'string' && value !== '' ? ({ [key]: cut(value) } as { [key in K]?: string }) : {}
}

function list<K extends string>(key: K, value: unknown): { [key in K]?: string[] } {
  const texts = Array.isArray(value)
    ? value
        .filter((one) => typeof one === 'string')
        .slice(0, mostItems)
        .map(cut)
    : []
  return texts.length === 0 ? {} : ({ [key]: texts } as { [key in K]?: string[] })
}

function cut(value: string): string {
  return value.slice(0, mostText)
}
