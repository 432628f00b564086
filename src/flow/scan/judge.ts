// The judge, in one place: a scan without a policy loads none of it.
export { judge } from '../../judge/judge.ts'
export { policies } from '../../judge/policy.ts'
