"""Texts of Django and of the libraries that people meet on our pages.

They are named here only so that they reach our catalogues, which say them in all three languages and win over the
catalogues of the libraries: those have gaps in Kazakh, and words other than the registry's. Nothing imports this
module.
"""

from django.utils.translation import gettext_noop, ngettext_lazy, pgettext_lazy

# Forms: what is wrong with a field.
gettext_noop("Enter a valid value.")
gettext_noop("Enter a valid domain name.")
gettext_noop("Enter a valid URL.")
gettext_noop("Enter a valid integer.")
gettext_noop("Enter a valid email address.")
gettext_noop("Enter a valid “slug” consisting of letters, numbers, underscores or hyphens.")
gettext_noop("Enter a valid “slug” consisting of Unicode letters, numbers, underscores, or hyphens.")
gettext_noop("Enter a valid %(protocol)s address.")
gettext_noop("IPv4")
gettext_noop("IPv6")
gettext_noop("IPv4 or IPv6")
gettext_noop("Enter only digits separated by commas.")
gettext_noop("Ensure this value is %(limit_value)s (it is %(show_value)s).")
gettext_noop("Ensure this value is less than or equal to %(limit_value)s.")
gettext_noop("Ensure this value is greater than or equal to %(limit_value)s.")
gettext_noop("Ensure this value is a multiple of step size %(limit_value)s.")
gettext_noop(
    "Ensure this value is a multiple of step size %(limit_value)s, starting from "
    "%(offset)s, e.g. %(offset)s, %(valid_value1)s, %(valid_value2)s, and so on."
)
ngettext_lazy(
    "Ensure this value has at least %(limit_value)d character (it has %(show_value)d).",
    "Ensure this value has at least %(limit_value)d characters (it has %(show_value)d).",
)
ngettext_lazy(
    "Ensure this value has at most %(limit_value)d character (it has %(show_value)d).",
    "Ensure this value has at most %(limit_value)d characters (it has %(show_value)d).",
)
gettext_noop("Enter a number.")
ngettext_lazy(
    "Ensure that there are no more than %(max)s digit in total.",
    "Ensure that there are no more than %(max)s digits in total.",
)
ngettext_lazy(
    "Ensure that there are no more than %(max)s decimal place.",
    "Ensure that there are no more than %(max)s decimal places.",
)
ngettext_lazy(
    "Ensure that there are no more than %(max)s digit before the decimal point.",
    "Ensure that there are no more than %(max)s digits before the decimal point.",
)
gettext_noop("File extension “%(extension)s” is not allowed. Allowed extensions are: %(allowed_extensions)s.")
gettext_noop("Null characters are not allowed.")
gettext_noop("and")
gettext_noop("This field is required.")
gettext_noop("Enter a whole number.")
gettext_noop("Enter a valid date.")
gettext_noop("Enter a valid time.")
gettext_noop("Enter a valid date/time.")
gettext_noop("Enter a valid duration.")
gettext_noop("The number of days must be between {min_days} and {max_days}.")
gettext_noop("No file was submitted. Check the encoding type on the form.")
gettext_noop("No file was submitted.")
gettext_noop("The submitted file is empty.")
ngettext_lazy(
    "Ensure this filename has at most %(max)d character (it has %(length)d).",
    "Ensure this filename has at most %(max)d characters (it has %(length)d).",
)
gettext_noop("Please either submit a file or check the clear checkbox, not both.")
gettext_noop("Upload a valid image. The file you uploaded was either not an image or a corrupted image.")
gettext_noop("Select a valid choice. %(value)s is not one of the available choices.")
gettext_noop("Enter a list of values.")
gettext_noop("Enter a complete value.")
gettext_noop("Enter a valid UUID.")
gettext_noop("Enter a valid JSON.")
gettext_noop("(Hidden field %(name)s) %(error)s")
gettext_noop(
    "ManagementForm data is missing or has been tampered with. Missing fields: "
    "%(field_names)s. You may need to file a bug report if the issue persists."
)
ngettext_lazy("Please submit at most %(num)d form.", "Please submit at most %(num)d forms.")
ngettext_lazy("Please submit at least %(num)d form.", "Please submit at least %(num)d forms.")
gettext_noop("Please correct the duplicate data for %(field)s.")
gettext_noop("Please correct the duplicate data for %(field)s, which must be unique.")
gettext_noop(
    "Please correct the duplicate data for %(field_name)s which must be unique for the %(lookup)s in %(date_field)s."
)
gettext_noop("Please correct the duplicate values below.")
gettext_noop("The inline value did not match the parent instance.")
gettext_noop("Select a valid choice. That choice is not one of the available choices.")
gettext_noop("“%(pk)s” is not a valid value.")
gettext_noop(
    "%(datetime)s couldn’t be interpreted in time zone %(current_timezone)s; it may be ambiguous or it may not exist."
)
gettext_noop("Clear")
gettext_noop("Currently")
gettext_noop("Change")
gettext_noop("Unknown")
gettext_noop("Yes")
gettext_noop("No")
gettext_noop("This is not a valid IPv6 address.")

# Models: what the database would refuse.
gettext_noop("%(model_name)s with this %(field_labels)s already exists.")
gettext_noop("Constraint “%(name)s” is violated.")
gettext_noop("Value %(value)r is not a valid choice.")
gettext_noop("This field cannot be null.")
gettext_noop("This field cannot be blank.")
gettext_noop("%(model_name)s with this %(field_label)s already exists.")
gettext_noop("%(field_label)s must be unique for %(date_field_label)s %(lookup_type)s.")
gettext_noop("“%(value)s” value must be either True or False.")
gettext_noop("“%(value)s” value has an invalid date format. It must be in YYYY-MM-DD format.")
gettext_noop("“%(value)s” value has the correct format (YYYY-MM-DD) but it is an invalid date.")
gettext_noop("“%(value)s” value has an invalid format. It must be in YYYY-MM-DD HH:MM[:ss[.uuuuuu]][TZ] format.")
gettext_noop(
    "“%(value)s” value has the correct format (YYYY-MM-DD HH:MM[:ss[.uuuuuu]][TZ]) but it is an invalid date/time."
)
gettext_noop("“%(value)s” value must be a decimal number.")
gettext_noop("“%(value)s” value must be an integer.")
gettext_noop("“%(value)s” is not a valid UUID.")
gettext_noop("Value must be valid JSON.")
gettext_noop("%(model)s instance with %(field)s %(value)r is not a valid choice.")

# Days, lengths of time and sizes.
gettext_noop("yes,no,maybe")
ngettext_lazy("%(size)d byte", "%(size)d bytes")
gettext_noop("%s KB")
gettext_noop("%s MB")
gettext_noop("%s GB")
gettext_noop("%s TB")
gettext_noop("%s PB")
gettext_noop("p.m.")
gettext_noop("a.m.")
gettext_noop("PM")
gettext_noop("AM")
gettext_noop("midnight")
gettext_noop("noon")
gettext_noop("Monday")
gettext_noop("Tuesday")
gettext_noop("Wednesday")
gettext_noop("Thursday")
gettext_noop("Friday")
gettext_noop("Saturday")
gettext_noop("Sunday")
gettext_noop("Mon")
gettext_noop("Tue")
gettext_noop("Wed")
gettext_noop("Thu")
gettext_noop("Fri")
gettext_noop("Sat")
gettext_noop("Sun")
gettext_noop("January")
gettext_noop("February")
gettext_noop("March")
gettext_noop("April")
gettext_noop("May")
gettext_noop("June")
gettext_noop("July")
gettext_noop("August")
gettext_noop("September")
gettext_noop("October")
gettext_noop("November")
gettext_noop("December")
gettext_noop("jan")
gettext_noop("feb")
gettext_noop("mar")
gettext_noop("apr")
gettext_noop("may")
gettext_noop("jun")
gettext_noop("jul")
gettext_noop("aug")
gettext_noop("sep")
gettext_noop("oct")
gettext_noop("nov")
gettext_noop("dec")
pgettext_lazy("abbrev. month", "Jan.")
pgettext_lazy("abbrev. month", "Feb.")
pgettext_lazy("abbrev. month", "March")
pgettext_lazy("abbrev. month", "April")
pgettext_lazy("abbrev. month", "May")
pgettext_lazy("abbrev. month", "June")
pgettext_lazy("abbrev. month", "July")
pgettext_lazy("abbrev. month", "Aug.")
pgettext_lazy("abbrev. month", "Sept.")
pgettext_lazy("abbrev. month", "Oct.")
pgettext_lazy("abbrev. month", "Nov.")
pgettext_lazy("abbrev. month", "Dec.")
pgettext_lazy("alt. month", "January")
pgettext_lazy("alt. month", "February")
pgettext_lazy("alt. month", "March")
pgettext_lazy("alt. month", "April")
pgettext_lazy("alt. month", "May")
pgettext_lazy("alt. month", "June")
pgettext_lazy("alt. month", "July")
pgettext_lazy("alt. month", "August")
pgettext_lazy("alt. month", "September")
pgettext_lazy("alt. month", "October")
pgettext_lazy("alt. month", "November")
pgettext_lazy("alt. month", "December")
pgettext_lazy("String to return when truncating text", "%(truncated_text)s…")
gettext_noop("or")
gettext_noop(", ")
ngettext_lazy("%(num)d year", "%(num)d years")
ngettext_lazy("%(num)d month", "%(num)d months")
ngettext_lazy("%(num)d week", "%(num)d weeks")
ngettext_lazy("%(num)d day", "%(num)d days")
ngettext_lazy("%(num)d hour", "%(num)d hours")
ngettext_lazy("%(num)d minute", "%(num)d minutes")

# Pages of lists and refused requests.
gettext_noop("…")
gettext_noop("That page number is not an integer")
gettext_noop("That page number is less than 1")
gettext_noop("That page contains no results")
gettext_noop("Forbidden")
gettext_noop("CSRF verification failed. Request aborted.")
gettext_noop(
    "You are seeing this message because this site requires a CSRF cookie when submitting "
    "forms. This cookie is required for security reasons, to ensure that your browser is "
    "not being hijacked by third parties."
)
gettext_noop(
    "If you have configured your browser to disable cookies, please re-enable them, at "
    "least for this site, or for “same-origin” requests."
)

# People and passwords.
gettext_noop("password")
gettext_noop("last login")
gettext_noop("No password set.")
gettext_noop("Reset password")
gettext_noop("Set password")
gettext_noop("The two password fields didn’t match.")
gettext_noop("Password")
gettext_noop("Password confirmation")
gettext_noop("Enter the same password as before, for verification.")
gettext_noop("Please enter a correct %(username)s and password. Note that both fields may be case-sensitive.")
gettext_noop("This account is inactive.")
gettext_noop("Email")
gettext_noop("New password")
gettext_noop("New password confirmation")
gettext_noop("Your old password was entered incorrectly. Please enter it again.")
gettext_noop("Old password")
gettext_noop("username")
gettext_noop("Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.")
gettext_noop("A user with that username already exists.")
gettext_noop("first name")
gettext_noop("last name")
gettext_noop("email address")
gettext_noop("active")
gettext_noop("user")
gettext_noop("users")
ngettext_lazy(
    "This password is too short. It must contain at least %d character.",
    "This password is too short. It must contain at least %d characters.",
)
ngettext_lazy(
    "Your password must contain at least %(min_length)d character.",
    "Your password must contain at least %(min_length)d characters.",
)
gettext_noop("The password is too similar to the %(verbose_name)s.")
gettext_noop("Your password can’t be too similar to your other personal information.")
gettext_noop("This password is too common.")
gettext_noop("Your password can’t be a commonly used password.")
gettext_noop("This password is entirely numeric.")
gettext_noop("Your password can’t be entirely numeric.")
gettext_noop(
    "Enter a valid username. This value may contain only unaccented lowercase a-z and "
    "uppercase A-Z letters, numbers, and @/./+/-/_ characters."
)
gettext_noop("Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.")

# Signing in, passwords and addresses (allauth).
gettext_noop("This account is currently inactive.")
gettext_noop("You cannot remove your primary email address.")
gettext_noop("This email address is already associated with this account.")
gettext_noop("The email address and/or password you specified are not correct.")
gettext_noop("A user is already registered with this email address.")
gettext_noop("Please type your current password.")
gettext_noop("Incorrect password.")
gettext_noop("Invalid or expired key.")
gettext_noop("Invalid login.")
gettext_noop("The password reset token was invalid.")
gettext_noop("You cannot add more than %d email addresses.")
gettext_noop("Too many failed login attempts. Try again later.")
gettext_noop("The email address is not assigned to any user account.")
gettext_noop("Your primary email address must be verified.")
gettext_noop("Username can not be used. Please use other username.")
gettext_noop("The username and/or password you specified are not correct.")
gettext_noop("Please select only one.")
gettext_noop("The new value must be different from the current one.")
gettext_noop("Be patient, you are sending too many requests.")
gettext_noop("Use your password")
gettext_noop("Use authenticator app or code")
gettext_noop("Email address")
gettext_noop("You must type the same password each time.")
gettext_noop("Remember Me")
gettext_noop("Username")
pgettext_lazy("field label", "Login")
gettext_noop("Username or email")
gettext_noop("Forgot your password?")
gettext_noop("Email (again)")
gettext_noop("Email address confirmation")
gettext_noop("Email (optional)")
gettext_noop("Username (optional)")
gettext_noop("You must type the same email each time.")
gettext_noop("Password (again)")
gettext_noop("Current Password")
gettext_noop("New Password")
gettext_noop("New Password (again)")
gettext_noop("Account Inactive")
gettext_noop("Confirm Access")
gettext_noop("Please reauthenticate to safeguard your account.")
gettext_noop("Password Reset")
gettext_noop("Email Addresses")
gettext_noop("The following email addresses are associated with your account:")
gettext_noop("Verified")
gettext_noop("Unverified")
gettext_noop("Primary")
gettext_noop("Make Primary")
gettext_noop("Re-send Verification")
gettext_noop("Add Email Address")
gettext_noop("Add Email")
gettext_noop("Do you really want to remove the selected email address?")
gettext_noop("Email Address")
gettext_noop("Current email")
gettext_noop("Changing to")
gettext_noop("Your email address is still pending verification.")
gettext_noop("Cancel Change")
gettext_noop("Change to")
gettext_noop("Change Email")
gettext_noop("Confirm Email Address")
gettext_noop(
    'Please confirm that <a href="mailto:%(email)s">%(email)s</a> is an email address for user %(user_display)s.'
)
gettext_noop("Unable to confirm %(email)s because it is already confirmed by a different account.")
gettext_noop(
    "This email confirmation link expired or is invalid. Please <a "
    'href="%(email_url)s">issue a new email confirmation request</a>.'
)
gettext_noop("If you have not created an account yet, then please %(link)ssign up%(end_link)s first.")
gettext_noop("Sign Out")
gettext_noop("Are you sure you want to sign out?")
gettext_noop("You cannot remove your primary email address (%(email)s).")
gettext_noop("Confirmation email sent to %(email)s.")
gettext_noop("You have confirmed %(email)s.")
gettext_noop("Removed email address %(email)s.")
gettext_noop("Successfully signed in as %(name)s.")
gettext_noop("You have signed out.")
gettext_noop("Password successfully changed.")
gettext_noop("Password successfully set.")
gettext_noop("Primary email address set.")
gettext_noop("Change Password")
gettext_noop("Forgot Password?")
gettext_noop(
    "Forgotten your password? Enter your email address below, and we'll send you an email allowing you to reset it."
)
gettext_noop("Reset My Password")
gettext_noop("Please contact us if you have any trouble resetting your password.")
gettext_noop(
    "We have sent you an email. If you have not received it please check your spam folder. "
    "Otherwise contact us if you do not receive it in a few minutes."
)
gettext_noop("Bad Token")
gettext_noop(
    "The password reset link was invalid, possibly because it has already been used.  "
    'Please request a <a href="%(passwd_reset_url)s">new password reset</a>.'
)
gettext_noop("Your password is now changed.")
gettext_noop("Set Password")
gettext_noop("Enter your password:")
gettext_noop("Sign Up")
gettext_noop("Note")
gettext_noop("You are already logged in as %(user_display)s.")
gettext_noop("Warning:")
gettext_noop(
    "You currently do not have any email address set up. You should really add an email "
    "address so you can receive notifications, reset your password, etc."
)
gettext_noop("Messages:")
gettext_noop("Menu:")
gettext_noop("Sign Up Closed")
gettext_noop("We are sorry, but the sign up is currently closed.")

# Letters that allauth sends.
gettext_noop("Hello from %(site_name)s!")
gettext_noop("Thank you for using %(site_name)s!\n%(site_domain)s")
gettext_noop("You are receiving this mail because the following change was made to your account:")
gettext_noop(
    "If you do not recognize this change then please take proper security precautions "
    "immediately. The change to your account originates from:\n"
    "\n"
    "- IP address: %(ip)s\n"
    "- Browser: %(user_agent)s\n"
    "- Date: %(timestamp)s"
)
gettext_noop("Your email has been changed from %(from_email)s to %(to_email)s.")
gettext_noop("Email Changed")
gettext_noop("Your email has been confirmed.")
gettext_noop("Email Confirmation")
gettext_noop(
    "You're receiving this email because user %(user_display)s has given your email "
    "address to register an account on %(site_domain)s."
)
gettext_noop("Your email verification code is listed below. Please enter it in your open browser window.")
gettext_noop("To confirm this is correct, go to %(activate_url)s")
gettext_noop("Please Confirm Your Email Address")
gettext_noop("Email address %(deleted_email)s has been removed from your account.")
gettext_noop("Email Removed")
gettext_noop("Your password has been changed.")
gettext_noop("Password Changed")
gettext_noop(
    "You're receiving this email because you or someone else has requested a password "
    "reset for your user account.\n"
    "It can be safely ignored if you did not request a password reset. Click the link "
    "below to reset your password."
)
gettext_noop("In case you forgot, your username is %(username)s.")
gettext_noop("Password Reset Email")
gettext_noop("Your password has been reset.")
gettext_noop("Your password has been set.")
gettext_noop("Password Set")

# Two-factor authentication (allauth).
gettext_noop("Incorrect code.")
gettext_noop("Code")
gettext_noop("You cannot add an email address to an account protected by two-factor authentication.")
gettext_noop("You cannot deactivate two-factor authentication.")
gettext_noop("You cannot generate recovery codes without having two-factor authentication enabled.")
gettext_noop("You cannot activate two-factor authentication until you have verified your email address.")
gettext_noop("Master key")
gettext_noop("Backup key")
gettext_noop("Key nr. {number}")
gettext_noop("Recovery codes")
gettext_noop("TOTP Authenticator")
gettext_noop("Authenticator code")
gettext_noop("Cancel")
gettext_noop("Confirm")
gettext_noop("Alternative options")
gettext_noop("Sign In")
gettext_noop("Remove")
gettext_noop("Two-Factor Authentication")
gettext_noop("Your account is protected by two-factor authentication. Please enter an authenticator code:")
gettext_noop("A new set of Two-Factor Authentication recovery codes has been generated.")
gettext_noop("New Recovery Codes Generated")
gettext_noop("Authenticator app activated.")
gettext_noop("Authenticator App Activated")
gettext_noop("Authenticator app deactivated.")
gettext_noop("Authenticator App Deactivated")
gettext_noop("Authenticator App")
gettext_noop("Authentication using an authenticator app is active.")
gettext_noop("An authenticator app is not active.")
gettext_noop("Deactivate")
gettext_noop("Activate")
gettext_noop("Manage")
gettext_noop("Add")
gettext_noop("Recovery Codes")
ngettext_lazy(
    "There is %(unused_count)s out of %(total_count)s recovery codes available.",
    "There are %(unused_count)s out of %(total_count)s recovery codes available.",
)
gettext_noop("No recovery codes set up.")
gettext_noop("View")
gettext_noop("Download")
gettext_noop("Generate")
gettext_noop("A new set of recovery codes has been generated.")
gettext_noop("Save them  in a secure location now — they won't be shown again.")
gettext_noop("Enter an authenticator code:")
gettext_noop("You are about to generate a new set of recovery codes for your account.")
gettext_noop("This action will invalidate your existing codes.")
gettext_noop("Are you sure?")
gettext_noop("Unused codes")
gettext_noop("Download codes")
gettext_noop("Generate new codes")
gettext_noop("I have saved my recovery codes")
gettext_noop("Activate Authenticator App")
gettext_noop(
    "To protect your account with two-factor authentication, scan the QR code below with "
    "your authenticator app. Then, input the verification code generated by the app below."
)
gettext_noop("Authenticator secret")
gettext_noop("You can store this secret and use it to reinstall your authenticator app at a later time.")
gettext_noop("Deactivate Authenticator App")
gettext_noop("You are about to deactivate authenticator app based authentication. Are you sure?")
gettext_noop("Trust this Browser?")
gettext_noop(
    "If you choose to trust this browser, you will not be asked for a verification code the next time you sign in."
)
gettext_noop("Trust for %(period)s")
gettext_noop("Don't Trust")

# Filters of lists.
gettext_noop("contains")
gettext_noop("is in")
gettext_noop("is greater than")
gettext_noop("is greater than or equal to")
gettext_noop("is less than")
gettext_noop("is less than or equal to")
gettext_noop("starts with")
gettext_noop("is in range")
gettext_noop("search")
gettext_noop("Range query expects two values.")
gettext_noop("Today")
gettext_noop("Yesterday")
gettext_noop("Past 7 days")
gettext_noop("This month")
gettext_noop("This year")
gettext_noop("Multiple values may be separated by commas.")
gettext_noop("%s (descending)")
gettext_noop("Ordering")
gettext_noop("exclude")
gettext_noop("All")
