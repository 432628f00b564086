import { catalogue, type Setting, settingPaths, variableOf } from './catalogue.ts'

/** The JSON schema (2020-12) of `lazaret.yaml`, published as docs/lazaret.schema.json. */
export function settingsJsonSchema(): Record<string, unknown> {
  const properties: Record<string, Record<string, unknown>> = {}
  for (const path of settingPaths) {
    const [section, key] = path.split('.') as [string, string?]
    if (key === undefined) properties[section] = leaf(path)
    else {
      const holder = (properties[section] ??= { type: 'object', additionalProperties: false, properties: {} })
      ;(holder.properties as Record<string, unknown>)[key] = leaf(path)
    }
  }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Settings of Lazaret (lazaret.yaml)',
    type: 'object',
    additionalProperties: false,
    properties,
  }
}

/** The table of docs/settings.md, a row per setting. */
export function settingsMarkdown(): string {
  const rows = settingPaths.map((path) => {
    const setting: Setting<unknown> = catalogue[path]
    return `| \`${path}\` | \`${variableOf(path)}\` | ${defaultOf(setting)} | ${setting.says} |`
  })
  return ['| setting | variable | default | meaning |', '|---|---|---|---|', ...rows, ''].join('\n')
}

function leaf(path: (typeof settingPaths)[number]): Record<string, unknown> {
  const setting: Setting<unknown> = catalogue[path]
  return {
    ...setting.kind.schema,
    description: `${setting.says} (${variableOf(path)})`,
    ...(setting.default !== undefined && { default: setting.default }),
  }
}

function defaultOf(setting: Setting<unknown>): string {
  if (setting.default !== undefined) return `\`${setting.default}\``
  return setting.defaultWords ?? '–'
}
