import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isModular, moduleOf, streamsIn } from './modules.ts'

test('the stream of a label, and none of what is no label', () => {
  assert.equal(moduleOf('nodejs:18:9040020240807131341:rhel9'), 'nodejs:18')
  assert.equal(moduleOf('virt:rhel:8100020240314:489197e6'), 'virt:rhel')
  assert.equal(moduleOf('nodejs:18'), 'nodejs:18')
  for (const label of ['', 'nodejs', ':18:1', 'nodejs:', 'no des:18', '::']) assert.equal(moduleOf(label), undefined, label)
  assert.equal(moduleOf(undefined), undefined)
})

test('a release that was built for a module', () => {
  for (const version of ['1:18.20.4-1.module_el9.4.0+110+6e5d0f9b', '3.3.1-2.module+el9.4.0+20787+4c237fd3']) assert.ok(isModular(version))
  for (const version of ['1.0-1.el9', 'module-1.0-1', '1.0-1.modules_el9']) assert.ok(!isModular(version), version)
})

test('the streams that titles of errata name', () => {
  const cases: [title: string, streams: string[]][] = [
    ['Important: nodejs:18 security update', ['nodejs:18']],
    ['virt:rhel and virt-devel:rhel bug fix update', ['virt:rhel', 'virt-devel:rhel']],
    ['Moderate: pki-core:10.6 and pki-deps:10.6 security, bug fix, and enhancement update', ['pki-core:10.6', 'pki-deps:10.6']],
    ['idm:client and idm:DL1 bug fix and enhancement update', ['idm:client', 'idm:DL1']],
    ['perl-DBD-Pg:3.7 bug fix and enhancement update', ['perl-DBD-Pg:3.7']],
    ['Red Hat Security Advisory: container-tools:rhel8, security update', ['container-tools:rhel8']],
    ['container-tools bug fix update', []],
    ['Important: varnish security update', []],
    ['see https://errata.example.org/8/a.html', []],
    [`${'a:'.repeat(5000)}`, []],
  ]
  for (const [title, streams] of cases) assert.deepEqual(streamsIn(title), streams, title.slice(0, 80))
})
