/** Members of a body whose numbers are exact decimals; no kind of write but prices has members of these names. */
export const EXACT_PRICES = ['price', 'expected_previous_price'] as const;
