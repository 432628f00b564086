import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settingPaths, variableOf } from './catalogue.ts'
import { settingsJsonSchema, settingsMarkdown } from './published.ts'

test('what is published names every setting', () => {
  const markdown = settingsMarkdown()
  const schema = settingsJsonSchema() as {
    properties: Record<string, { properties?: Record<string, unknown> }>
    additionalProperties: boolean
  }
  for (const path of settingPaths) {
    const [section = '', key] = path.split('.')
    assert.ok(markdown.includes(`\`${variableOf(path)}\``))
    assert.ok(key === undefined ? schema.properties[section] : schema.properties[section]?.properties?.[key], path)
  }
  assert.equal(schema.additionalProperties, false)
})
