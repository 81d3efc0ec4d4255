/** The providers there are, and which of them can be used here. */
import { HttpError } from '../../http/faults.js'
import type { NextStep, Order, PaymentProvider, ProviderName } from './payment-provider.js'

export class Providers {
  /** In the order in which one is chosen when nobody says which. */
  readonly all: readonly PaymentProvider[]

  constructor(all: readonly PaymentProvider[]) {
    this.all = all
  }

  /** Returns the provider of this name, or the first that is set up; throws a 409 when it is not. */
  usable(name: ProviderName | undefined): PaymentProvider {
    const provider = this.all.find(each => (name === undefined ? each.lacks === null : each.name === name))
    if (provider === undefined || provider.lacks !== null)
      throw new HttpError(409, 'provider_off', `${name} is not set up here: ${provider?.lacks} is not set`)
    return provider
  }

  /** Returns what a payer does next; null: nothing, since this provider cannot be paid by any more. */
  next(name: ProviderName, order: Order): NextStep | null {
    const provider = this.all.find(each => each.name === name)
    try {
      return provider === undefined || provider.lacks !== null ? null : provider.next(order)
    } catch (error) {
      if (error instanceof HttpError) return null
      throw error
    }
  }
}
