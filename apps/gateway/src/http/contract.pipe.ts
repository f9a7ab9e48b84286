import { Injectable, type ArgumentMetadata, type PipeTransform } from '@nestjs/common';
import { Failure, isDeclared, validatorOf, type Constructor } from '#contracts';

/**
 * Holds every body, query and path against the class that the handler declares for it. What passes is handed on
 * as it came: nothing is converted but digits in a query, where a whole number is declared.
 */
@Injectable()
export class ContractPipe implements PipeTransform {
  transform(value: unknown, { type, metatype }: ArgumentMetadata): unknown {
    if (type === 'custom' || !metatype || !isDeclared(metatype as Constructor<unknown>)) return value;
    // No body is an empty one; null is a body, and a wrong one.
    const given =
      type === 'query'
        ? withNumbers(value as Record<string, unknown>, metatype)
        : value === undefined
          ? {}
          : value;
    const errors = validatorOf(metatype as Constructor<unknown>)(given);
    if (errors.length > 0) throw Failure.invalid(...errors);
    return given;
  }
}

function withNumbers(
  query: Record<string, unknown>,
  type: new (...args: never) => unknown,
): Record<string, unknown> {
  const converted = { ...query };
  for (const [name, text] of Object.entries(query)) {
    const isNumber = Reflect.getMetadata('design:type', type.prototype as object, name) === Number;
    if (isNumber && typeof text === 'string' && /^\d{1,15}$/.test(text)) converted[name] = Number(text);
  }
  return converted;
}
