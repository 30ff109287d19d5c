import type { PlayedAction } from './played-action.ts'

/**
 * aws-actions/configure-aws-credentials with a role and an identity token: exports the role's
 * temporary keys for the steps that follow. A job without `id-token: write` gets none.
 */
export const configureAwsCredentials: PlayedAction = {
  inputs: ['aws-region', 'role-to-assume', 'role-session-name', 'role-duration-seconds'],
  async run(inputs, machine) {
    const { 'aws-region': region, 'role-to-assume': role } = inputs
    if (region === undefined || region === '') throw new Error('Input required: aws-region')
    if (role === undefined || role === '') throw new Error('only assuming a role is played here')
    if (!machine.mayRequestIdToken) {
      throw new Error(
        'Credentials could not be loaded: did you mean to set the `id-token` permission?',
      )
    }
    const credentials = machine.cloudRoles[role]
    if (credentials === undefined) {
      throw new Error('Not authorized to perform sts:AssumeRoleWithWebIdentity')
    }
    Object.assign(machine.exported, {
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_SESSION_TOKEN: credentials.sessionToken,
    })
    return {}
  },
}
