/** Where one signs in: with an account, or with the coordinator's own token. */
import { useSignal } from '@preact/signals'
import icon from './icon.svg'
import { signedOutBecause, signIn, signInByToken } from './live/session.js'
import { fieldsOf } from './ui/form.js'
import { Fault } from './ui/parts.js'

export function Door() {
  const isByToken = useSignal(false)
  const fault = useSignal<string | null>(signedOutBecause.value)
  const isBusy = useSignal(false)
  const enter = async (form: HTMLFormElement) => {
    const { name = '', password = '', token = '' } = fieldsOf(form)
    isBusy.value = true
    fault.value = null
    try {
      if (isByToken.value) signInByToken(token.trim())
      else await signIn(name.trim(), password)
    } catch (error) {
      fault.value = error instanceof Error ? error.message : String(error)
    }
    isBusy.value = false
  }
  return (
    <main class="door">
      <form
        class="panel"
        onSubmit={event => {
          event.preventDefault()
          void enter(event.currentTarget)
        }}
      >
        <div class="door-brand">
          <img src={icon} alt="" />
          <h1>Boson inspector</h1>
        </div>
        {isByToken.value ? (
          <Field label="Operator’s token" name="token" isSecret autocomplete="off" />
        ) : (
          <>
            <Field label="Account" name="name" autocomplete="username" />
            <Field label="Password" name="password" isSecret autocomplete="current-password" />
          </>
        )}
        {fault.value !== null && <Fault>{fault.value}</Fault>}
        <button type="submit" class="button" data-kind="main" disabled={isBusy.value}>
          Sign in
        </button>
        <button
          type="button"
          class="button"
          data-kind="plain"
          onClick={() => {
            isByToken.value = !isByToken.peek()
            fault.value = null
          }}
        >
          {isByToken.value ? 'With an account instead' : 'With the operator’s token instead'}
        </button>
        <p class="quiet">
          No account yet? On the coordinator’s machine, <code>boson users first &lt;name&gt;</code> makes the
          first one.
        </p>
      </form>
    </main>
  )
}

const Field = (props: {
  label: string
  name: string
  isSecret?: boolean
  autocomplete: 'off' | 'username' | 'current-password'
}) => (
  <label class="field">
    <span>{props.label}</span>
    {props.isSecret === true ? (
      <input class="input" name={props.name} type="password" autocomplete={props.autocomplete} required />
    ) : (
      <input class="input" name={props.name} autocomplete={props.autocomplete} spellcheck={false} required />
    )}
  </label>
)
