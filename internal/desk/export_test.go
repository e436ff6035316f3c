package desk

// HeadOf is headOf, for its fuzz test.
var HeadOf = headOf
