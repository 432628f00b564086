import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCases, readTotals } from './cases.ts'

const xml = `<testsuites time="5.4" tests="3" failures="1" skipped="1">
  <testsuite name="OCI Conformance Test" tests="3" failures="1" errors="0" skipped="1" time="5.4">
    <properties><property name="Config" value="registry: 127.0.0.1:5999&#xA;"></property></properties>
    <testcase name="a/ping" classname="" time="0.1" status="passed"><system-err>GET &lt;x&gt;</system-err></testcase>
    <testcase name="a/push &#34;b&#34;" classname="" time="0.1" status="failure"><failure message=""></failure><system-out>expected [201] &amp; got 500
second line</system-out></testcase>
    <testcase name="a/mount" classname="" time="0.1" status="skipped"><system-out>not here</system-out></testcase>
  </testsuite>
</testsuites>`

test('every check is read, with its words where it did not pass', () => {
  assert.deepEqual(readCases(xml), [
    { name: 'a/ping', status: 'passed', words: '' },
    { name: 'a/push "b"', status: 'failure', words: 'expected [201] & got 500\nsecond line' },
    { name: 'a/mount', status: 'skipped', words: 'not here' },
  ])
  assert.deepEqual(readTotals(xml), { tests: 3, failures: 1, errors: 0, skipped: 1 })
})

test('another file has no checks and no totals', () => {
  assert.deepEqual(readCases('<html></html>'), [])
  assert.ok(Number.isNaN(readTotals('<html></html>').tests) || readTotals('<html></html>').tests === 0)
})
